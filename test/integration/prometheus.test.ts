import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { parse, stringify } from 'yaml';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { findOutsidePart } from '../fixtures/outside-part.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const configDir = path.resolve(import.meta.dirname, '..', '..', 'config', 'prometheus');
const configFile = path.join(configDir, 'prometheus.yml');
const alertsFile = path.join(configDir, 'alerts.yml');
const alertsText = readFileSync(alertsFile, 'utf8');

function runPromtool(promtool: string, args: readonly string[], input = ''): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(promtool, args, { input, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

async function startColourService(context: TestContext): Promise<Service> {
  const modelsDir = makeTempDir(context);
  await writeColourModel(modelsDir, { name: 'quality' });
  return startService(context, { args: ['--models', modelsDir, '--engine', 'wasm'] });
}

/** Uploads photographs on a connection each, so that both workers get some, and then something that is no image. */
async function upload(service: Service, count: number): Promise<void> {
  const photo = await makePhoto();
  const answers = await Promise.all(Array.from({ length: count }, () => postRaw(service.url, photo)));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal((await postRaw(service.url, Buffer.from('no image'))).status, 415);
}

test('configuration_and_alerts_are_valid', (context) => {
  const promtool = findOutsidePart(context, 'promtool');
  if (promtool === undefined) return;
  for (const args of [
    ['check', 'config', configFile],
    ['check', 'rules', alertsFile],
  ]) {
    const { status, output } = runPromtool(promtool, args);
    assert.equal(status, 0, output);
  }
});

test('a_misspelt_alert_is_found', (context) => {
  const promtool = findOutsidePart(context, 'promtool');
  if (promtool === undefined) return;
  const file = path.join(makeTempDir(context), 'alerts.yml');
  writeFileSync(file, alertsText.replace('sum by (job, instance)', 'sum buy (job, instance)'));
  assert.notEqual(runPromtool(promtool, ['check', 'rules', file]).status, 0);
});

/** A healthy half hour in promtool's notation: first value + step x how often, a sample a minute. */
const healthy = {
  'up{job="image-check"}': '1+0x30',
  'image_check_worker_serving{worker="0"}': '1+0x30',
  'image_check_worker_serving{worker="1"}': '1+0x30',
  'image_check_model_state{model="quality",state="failed",worker="0"}': '0+0x30',
  'image_check_worker_restarts_total{reason="crash"}': '0+0x30',
  'image_check_worker_restarts_total{reason="reload"}': '0+2x30',
  'image_check_http_requests_total{route="/v1/check",code="200"}': '0+600x30',
  'image_check_http_requests_total{route="/v1/check",code="429"}': '0+1x30',
  'image_check_http_requests_total{route="/v1/check",code="503"}': '0+1x30',
  'image_check_request_duration_seconds_bucket{route="/v1/check",le="2.5"}': '0+602x30',
  'image_check_request_duration_seconds_bucket{route="/v1/check",le="5"}': '0+602x30',
  'image_check_request_duration_seconds_bucket{route="/v1/check",le="+Inf"}': '0+602x30',
};

interface Trouble {
  readonly series: Partial<Record<keyof typeof healthy, string>>;
  /** Alerts by name, and for how many series they fire. */
  readonly firing: Readonly<Record<string, number>>;
}

const troubles: readonly Trouble[] = [
  { series: {}, firing: {} },
  { series: { 'up{job="image-check"}': '0+0x30' }, firing: { ImageCheckDown: 1 } },
  {
    series: {
      'image_check_worker_serving{worker="0"}': '0+0x30',
      'image_check_worker_serving{worker="1"}': '0+0x30',
    },
    firing: { ImageCheckNoServingWorker: 1, ImageCheckWorkerNotServing: 2 },
  },
  { series: { 'image_check_worker_serving{worker="1"}': '0+0x30' }, firing: { ImageCheckWorkerNotServing: 1 } },
  {
    series: { 'image_check_model_state{model="quality",state="failed",worker="0"}': '1+0x30' },
    firing: { ImageCheckModelFailed: 1 },
  },
  {
    series: { 'image_check_worker_restarts_total{reason="crash"}': '0+1x30' },
    firing: { ImageCheckWorkersRestart: 1 },
  },
  {
    series: { 'image_check_http_requests_total{route="/v1/check",code="503"}': '0+20x30' },
    firing: { ImageCheckServerErrors: 1 },
  },
  {
    series: { 'image_check_http_requests_total{route="/v1/check",code="429"}': '0+60x30' },
    firing: { ImageCheckOverloaded: 1 },
  },
  {
    series: { 'image_check_request_duration_seconds_bucket{route="/v1/check",le="2.5"}': '0+550x30' },
    firing: { ImageCheckSlow: 1 },
  },
];

function toRuleTest({ series, firing }: Trouble): unknown {
  return {
    interval: '1m',
    input_series: Object.entries({ ...healthy, ...series }).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: '25m',
        exp_samples: Object.entries(firing).map(([name, value]) => ({ labels: `{alertname="${name}"}`, value })),
      },
    ],
  };
}

test('each_alert_fires_on_its_trouble_and_on_no_other', (context) => {
  const promtool = findOutsidePart(context, 'promtool');
  if (promtool === undefined) return;
  const names = [...alertsText.matchAll(/alert: (\w+)/g)].map(([, name]) => name).sort();
  assert.deepEqual([...new Set(troubles.flatMap(({ firing }) => Object.keys(firing)))].sort(), names);
  const file = path.join(makeTempDir(context), 'alerts.test.yml');
  const tests = troubles.map(toRuleTest);
  writeFileSync(file, stringify({ rule_files: [alertsFile], evaluation_interval: '1m', tests }));
  const { status, output } = runPromtool(promtool, ['test', 'rules', file]);
  assert.equal(status, 0, output);
});

test('the_exposition_is_clean_for_promtool_and_has_what_alerts_ask_for', async (context) => {
  const promtool = findOutsidePart(context, 'promtool');
  if (promtool === undefined) return;
  const service = await startColourService(context);
  await upload(service, 6);
  await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_http_requests_total')) === 7);
  const exposition = await (await fetch(`${service.opsUrl}/metrics`)).text();
  assert.deepEqual(runPromtool(promtool, ['check', 'metrics'], exposition), { status: 0, output: '' });
  // The check can fail: it refuses a gauge that is named like a counter.
  assert.notEqual(runPromtool(promtool, ['check', 'metrics'], '# TYPE a_total gauge\na_total 1\n').status, 0);
  for (const [name] of alertsText.matchAll(/\bimage_check_\w+\{[^}]*route="[^"]+"|\bimage_check_\w+/g)) {
    const [metric = '', route = ''] = name.split(/\{.*(?=route=)/);
    assert.ok(new RegExp(`^${metric}(_bucket)?\\{.*${route}`, 'm').test(exposition), name);
  }
});

interface Prometheus {
  /** The value of a query that has one result, or none. */
  readonly query: (expression: string) => Promise<number | undefined>;
  readonly rules: () => Promise<readonly { name: string; health: string }[]>;
}

/** The answer of an HTTP API of Prometheus. */
async function fetchData<Data>(url: string): Promise<Data> {
  const response = await fetch(url);
  const body = (await response.json()) as { status: string; error?: string; data: Data };
  assert.equal(body.status, 'success', body.error);
  return body.data;
}

/** Starts Prometheus as config/prometheus says, but for the port of the service and the pace. */
async function startPrometheus(context: TestContext, executable: string, service: Service): Promise<Prometheus> {
  const config = parse(readFileSync(configFile, 'utf8')) as {
    global: unknown;
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  const [target] = config.scrape_configs.flatMap((scrape) => scrape.static_configs);
  assert.deepEqual(target?.targets, ['localhost:5052']);
  target.targets = [`127.0.0.1:${String(service.opsPort)}`];
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' };
  const stopping: (() => Promise<unknown>)[] = [];
  // Before makeTempDir's own: nothing may write into the folder any more.
  context.after(() => Promise.all(stopping.map((stop) => stop())));
  const dir = makeTempDir(context);
  writeFileSync(path.join(dir, 'prometheus.yml'), stringify(config));
  copyFileSync(alertsFile, path.join(dir, 'alerts.yml'));
  const paths = [`--config.file=${path.join(dir, 'prometheus.yml')}`, `--storage.tsdb.path=${path.join(dir, 'data')}`];
  const child = spawn(executable, [...paths, '--web.listen-address=127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close');
  stopping.push(() => {
    child.kill('SIGKILL');
    return ended;
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const findAddress = (): string | undefined => /msg="Listening on" address=(\S+)/.exec(log)?.[1];
  await waitFor(() => findAddress() !== undefined || child.exitCode !== null);
  const api = `http://${findAddress() ?? assert.fail(log)}/api/v1`;
  await waitFor(async () => (await fetch(api.replace('/api/v1', '/-/ready'))).ok);
  return {
    query: async (expression) => {
      type Vector = { result: { value: [number, string] }[] };
      const { result } = await fetchData<Vector>(`${api}/query?query=${encodeURIComponent(expression)}`);
      return result[0] === undefined ? undefined : Number(result[0].value[1]);
    },
    rules: async () => {
      type Groups = { groups: { rules: { name: string; health: string }[] }[] };
      return (await fetchData<Groups>(`${api}/rules`)).groups.flatMap(({ rules }) => rules);
    },
  };
}

test('prometheus_counts_every_upload_also_when_a_worker_is_killed', async (context) => {
  const executable = findOutsidePart(context, 'prometheus');
  if (executable === undefined) return;
  const service = await startColourService(context);
  const prometheus = await startPrometheus(context, executable, service);
  const total = 'sum(image_check_http_requests_total{route="/v1/check"})';
  await upload(service, 7);
  await waitFor(async () => (await prometheus.query(total)) === 8);
  assert.equal(await prometheus.query('up{job="image-check"}'), 1);
  assert.equal(await prometheus.query('sum(image_check_errors_total{error="ERR_IMAGE_UNSUPPORTED"})'), 1);
  assert.equal(await prometheus.query('sum(image_check_worker_ready)'), 2);

  const victim = (await service.health()).workers.find(({ checked }) => checked > 0);
  assert.ok(victim);
  process.kill(victim.pid, 'SIGKILL');
  await waitFor(async () => (await prometheus.query('image_check_worker_restarts_total{reason="crash"}')) === 1);
  await waitFor(async () => (await prometheus.query('sum(image_check_worker_serving)')) === 2);
  assert.equal(await prometheus.query(total), 8);
  await upload(service, 3);
  await waitFor(async () => (await prometheus.query(total)) === 12);
  // A counter that falls is a restart to Prometheus, and its rates would jump.
  for (const name of ['http_requests_total', 'checks_total', 'request_duration_seconds_bucket']) {
    assert.equal(await prometheus.query(`max(resets(image_check_${name}[10m]))`), 0, name);
  }
  await waitFor(async () => (await prometheus.rules()).every(({ health }) => health !== 'unknown'));
  const unhealthy = (await prometheus.rules()).filter(({ health }) => health !== 'ok');
  assert.deepEqual(unhealthy, []);
});
