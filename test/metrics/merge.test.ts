import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { Registry } from 'prom-client';
import { createWorkerMetrics } from '../../src/metrics/catalogue.ts';
import { collectFamilies } from '../../src/metrics/families.ts';
import { mergeMetrics, RetiredMetrics, toSharedFamilies } from '../../src/metrics/merge.ts';
import { createPrimaryMetrics, setWorkerGauges } from '../../src/metrics/primary-metrics.ts';
import { createProcessMetrics } from '../../src/metrics/process-metrics.ts';

/** What a worker pushes after `requests` requests. */
async function pushFamilies(slot: number, requests: number) {
  const registry = new Registry();
  const metrics = createWorkerMetrics(registry);
  metrics.inFlight.set(2);
  for (let i = 0; i < requests; i++) {
    metrics.httpRequests.inc({ route: '/v1/check', method: 'POST', code: 200 });
    metrics.requestDuration.observe({ route: '/v1/check' }, 0.02);
    metrics.stepDuration.observe({ step: 'decode' }, 0.003);
    metrics.inferenceDuration.observe({ model: 'quality', version: '1', engine: 'wasm' }, 0.01);
    metrics.batchSize.observe({ model: 'quality' }, 1);
    metrics.checks.inc({ model: 'quality', verdict: 'accept' });
    metrics.labels.inc({ model: 'quality', label: 'a "quoted"\\nlabel' });
    metrics.errors.inc({ error: 'ERR_OVERLOADED' });
    metrics.modelLoad.observe({ model: 'quality' }, 0.2);
  }
  return collectFamilies(registry, createProcessMetrics(String(slot)));
}

/** Samples by their whole name with labels; fails where one appears twice. */
function readSamples(exposition: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of exposition.split('\n').filter((text) => text !== '' && !text.startsWith('#'))) {
    const end = line.lastIndexOf(' ');
    const [, name = '', labels = ''] = /^([^{]+)(?:\{(.*)\})?$/.exec(line.slice(0, end)) ?? [];
    const sorted = labels.split(/,(?=[a-z_]+=")/).sort();
    const key = `${name}{${sorted.join(',')}}`;
    assert.ok(!samples.has(key), `twice: ${key}`);
    samples.set(key, Number(line.slice(end + 1)));
  }
  return samples;
}

const requestsTotal = 'image_check_http_requests_total{code="200",method="POST",route="/v1/check"}';
const requestsCount = 'image_check_request_duration_seconds_count{route="/v1/check"}';

test('counters_histograms_and_product_gauges_are_summed_process_metrics_are_not', async () => {
  const samples = readSamples(await mergeMetrics([await pushFamilies(0, 3), await pushFamilies(1, 4)]));
  assert.equal(samples.get(requestsTotal), 7);
  assert.equal(samples.get(requestsCount), 7);
  assert.equal(samples.get('image_check_request_duration_seconds_bucket{le="0.025",route="/v1/check"}'), 7);
  assert.equal(samples.get('image_check_in_flight{}'), 4);
  for (const worker of ['0', '1']) {
    assert.ok((samples.get(`process_resident_memory_bytes{worker="${worker}"}`) ?? 0) > 1e6);
    assert.ok((samples.get(`process_start_time_seconds{worker="${worker}"}`) ?? 0) > 1e9);
  }
});

test('no_total_falls_when_a_worker_dies_and_another_takes_its_slot_gauges_of_the_dead_vanish', async () => {
  const retired = new RetiredMetrics();
  const [left, right] = [await pushFamilies(0, 3), await pushFamilies(1, 4)];
  const before = readSamples(await mergeMetrics([retired.families, left, right]));
  retired.add(left);
  const between = readSamples(await mergeMetrics([retired.families, right]));
  const next = await pushFamilies(0, 0);
  const after = readSamples(await mergeMetrics([retired.families, next, right]));
  let compared = 0;
  for (const [sample, value] of before) {
    if (!/_(total|count|sum|bucket)\{/.test(sample)) continue;
    compared += 1;
    assert.ok((between.get(sample) ?? -1) >= value, sample);
    assert.ok((after.get(sample) ?? -1) >= (between.get(sample) ?? Infinity), sample);
  }
  assert.ok(compared > 40, String(compared));
  assert.equal(between.get('image_check_in_flight{}'), 2);
  assert.equal(between.has('process_resident_memory_bytes{worker="0"}'), false);
  retired.add(next);
  retired.add(right);
  assert.equal(readSamples(await mergeMetrics([retired.families])).get(requestsTotal), 7);
});

test('while_a_slot_has_two_workers_their_requests_add_up_and_the_process_gauges_are_the_current_ones', async () => {
  const [current, old] = [await pushFamilies(0, 1), await pushFamilies(0, 1)];
  const [alone] = [readSamples(await mergeMetrics([current]))];
  const both = readSamples(await mergeMetrics([current, toSharedFamilies(old)]));
  assert.equal(both.get(requestsTotal), 2);
  assert.equal(both.get('image_check_in_flight{}'), 4);
  const memory = 'process_resident_memory_bytes{worker="0"}';
  assert.equal(both.get(memory), alone.get(memory));
});

const promtool = spawnSync('promtool', ['--version']).error === undefined;
const mustRun = process.env['IMAGE_CHECK_REQUIRE'] === 'all';

test('promtool_finds_nothing_to_say', { skip: !promtool && !mustRun && 'promtool is not installed' }, async () => {
  const metrics = createPrimaryMetrics('1.2.3', 'wasm');
  const snapshot = {
    serving: true,
    ready: true,
    models: [{ name: 'quality', version: '1', isDefault: true, engine: 'wasm' as const, state: 'ready' as const }],
    inFlight: 0,
    queueDepth: 0,
    checked: 0,
    requests: 0,
    memory: { rssBytes: 3, pssBytes: 2, privateBytes: 1 },
    metrics: [],
  };
  setWorkerGauges(metrics.workers, [{ slot: 0, isServing: true, isReady: false, snapshot }]);
  const own = await collectFamilies(metrics.registry, createProcessMetrics('primary'));
  const input = await mergeMetrics([own, await pushFamilies(0, 3), await pushFamilies(1, 1)]);
  assert.ok(readSamples(input).size > 150);
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
});
