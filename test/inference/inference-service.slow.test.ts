import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { type ErrorCode, ServiceError } from '../../src/errors.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { createService, findModel, toPlainRaster, untilLater } from '../fixtures/inference.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { waitFor } from '../fixtures/wait-for.ts';

function hasCode(code: ErrorCode, detail = /./): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof ServiceError && thrown.code === code && detail.test(thrown.detail);
}

test('the_first_image_loads_the_model_once_for_all_that_wait', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const model = findModel(dir, 'colour');
  let loads = 0;
  const service = createService({ onLoaded: () => (loads += 1) });
  assert.equal(service.toSnapshot(model).state, 'cold');
  const colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [51, 102, 204],
  ] as const;
  const all = colours.map((colour) => service.infer(model, toPlainRaster(model, colour), untilLater()));
  assert.equal(service.toSnapshot(model).state, 'loading');
  for (const [index, { scores, queueMs }] of (await Promise.all(all)).entries()) {
    const expected = colours[index]?.map((channel) => channel / 255) ?? [];
    for (const [label, score] of scores.entries()) assert.ok(Math.abs(score - (expected[label] ?? -1)) < 1e-3);
    assert.ok(queueMs > 0);
  }
  assert.equal(loads, 1);
  const snapshot = service.toSnapshot(model);
  assert.equal(snapshot.state, 'ready');
  assert.ok((snapshot.loadMs ?? 0) > 0);
});

test('images_that_gather_run_together_up_to_the_largest_batch', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const model = findModel(dir, 'colour');
  const batches: number[] = [];
  const service = createService({ maxBatch: 4, onBatch: (_, count) => batches.push(count) });
  const raster = toPlainRaster(model, [9, 9, 9]);
  await Promise.all(Array.from({ length: 10 }, () => service.infer(model, raster, untilLater())));
  assert.equal(
    batches.reduce((sum, count) => sum + count, 0),
    10,
  );
  assert.equal(Math.max(...batches), 4);
});

test('a_load_that_outlasts_the_deadline_is_unavailable_and_goes_on', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const model = findModel(dir, 'colour');
  const service = createService();
  const raster = toPlainRaster(model, [0, 0, 0]);
  await assert.rejects(service.infer(model, raster, untilLater(1)), hasCode('ERR_MODEL_UNAVAILABLE', /still loading/));
  assert.equal(service.queueDepth(), 0);
  await service.load(model);
  assert.equal(service.toSnapshot(model).state, 'ready');
});

test('what_expires_or_is_given_up_leaves_the_queue', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const model = findModel(dir, 'colour');
  let ran = 0;
  const service = createService({ onBatch: (_, count) => (ran += count) });
  const raster = toPlainRaster(model, [0, 0, 0]);
  const controller = new AbortController();
  const given = service.infer(model, raster, { ...untilLater(), signal: controller.signal });
  controller.abort();
  await assert.rejects(given, hasCode('ERR_DEADLINE'));
  await service.load(model);
  await service.infer(model, raster, untilLater());
  assert.equal(ran, 1);
});

test('a_failed_load_is_reported_and_retried_after_its_backoff', async (context) => {
  const dir = makeTempDir(context);
  const folder = await writeColourModel(dir);
  const model = findModel(dir, 'colour');
  const weights = path.join(folder, 'weights.bin');
  const bytes = readFileSync(weights);
  rmSync(weights);
  const service = createService();
  const raster = toPlainRaster(model, [0, 0, 0]);
  await assert.rejects(service.infer(model, raster, untilLater()), hasCode('ERR_MODEL_UNAVAILABLE', /weights\.bin/));
  const failed = service.toSnapshot(model);
  assert.equal(failed.state, 'failed');
  assert.match(failed.reason ?? '', /weights\.bin: can't be read/);
  writeFileSync(weights, bytes);
  const again = service.infer(model, raster, untilLater());
  await assert.rejects(again, (thrown) => thrown instanceof ServiceError && (thrown.retryAfterSeconds ?? 0) >= 1);
  await waitFor(() =>
    service.load(model).then(
      () => true,
      () => false,
    ),
  );
  assert.equal(service.toSnapshot(model).state, 'ready');
});

test('wrong_golden_scores_fail_the_load', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const model = findModel(dir, 'colour');
  const raster = toPlainRaster(model, [255, 0, 0]);
  const golden = { image: 'golden/red.png', raster, scores: [0.5, 0, 0], tolerance: 0.01 };
  const service = createService({ loadGolden: () => Promise.resolve([golden]) });
  await assert.rejects(
    service.load(model),
    hasCode('ERR_MODEL_UNAVAILABLE', /golden\/red\.png: scores differ by 0\.5/),
  );
});

test('a_manifest_with_the_wrong_number_of_labels_fails_the_load', async (context) => {
  const dir = makeTempDir(context);
  const output = { kind: 'multi-label', labels: ['red', 'green'] };
  await writeColourModel(dir, { manifest: { output, golden: [] }, policy: {} });
  const service = createService();
  await assert.rejects(service.load(findModel(dir, 'colour')), hasCode('ERR_MODEL_UNAVAILABLE', /2 labels/));
});

test('a_savedmodel_on_wasm_needs_tensorflow', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { manifest: { format: 'tf-savedmodel' } });
  const service = createService();
  await assert.rejects(service.load(findModel(dir, 'colour')), hasCode('ERR_MODEL_UNAVAILABLE', /needs tensorflow/));
});

test('a_load_that_hangs_fails_by_its_timeout_and_another_model_still_loads', async (context) => {
  const dir = makeTempDir(context);
  const weights = path.join(await writeColourModel(dir), 'weights.bin');
  await writeColourModel(dir, { name: 'other' });
  const [hanging, other] = [findModel(dir, 'colour'), findModel(dir, 'other')];
  // Opening a pipe without a writer never returns.
  rmSync(weights);
  execFileSync('mkfifo', [weights]);
  const service = createService({ loadTimeoutMs: 5000 });
  const infer = () => service.infer(other, toPlainRaster(other, [255, 0, 0]), untilLater());
  try {
    const hung = assert.rejects(service.load(hanging), hasCode('ERR_MODEL_UNAVAILABLE', /loadTimeoutMs/));
    assert.ok(((await infer()).scores[0] ?? 0) > 0.99);
    assert.equal(service.toSnapshot(hanging).state, 'loading');
    await hung;
    assert.equal(service.toSnapshot(hanging).state, 'failed');
    assert.ok(((await infer()).scores[0] ?? 0) > 0.99);
  } finally {
    // Lets the abandoned thread end.
    closeSync(openSync(weights, constants.O_RDWR | constants.O_NONBLOCK));
  }
});

test('two_threads_work_side_by_side_and_each_has_its_own_instance', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const model = findModel(dir, 'colour');
  let atWork = 0;
  let most = 0;
  const onRun = () => {
    most = Math.max(most, (atWork += 1));
    return () => (atWork -= 1);
  };
  const loads: string[] = [];
  const service = createService({ modelThreads: 2, maxBatch: 1, onRun, onLoaded: ({ name }) => loads.push(name) });
  const colours = Array.from({ length: 12 }, (_, index) => index * 20);
  const all = colours.map((level) => service.infer(model, toPlainRaster(model, [level, 0, 0]), untilLater()));
  for (const [index, { scores }] of (await Promise.all(all)).entries()) {
    assert.ok(Math.abs((scores[0] ?? -1) - (colours[index] ?? 0) / 255) < 1e-3);
  }
  assert.equal(most, 2);
  assert.deepEqual(loads, ['colour']);
});

test('a_hung_load_is_known_to_the_next_worker_and_retried_after_its_backoff', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const model = findModel(dir, 'colour');
  const hung: string[] = [];
  const service = createService({ loadTimeoutMs: 1, onHang: ({ reason }) => hung.push(reason) });
  await assert.rejects(service.load(model), hasCode('ERR_MODEL_UNAVAILABLE', /loadTimeoutMs/));
  assert.equal(hung.length, 1);
  const { state, hangs, reason = '' } = service.toSnapshot(model);
  assert.deepEqual([state, hangs], ['failed', 1]);

  const next = createService({ loadTimeoutMs: 5000 });
  next.inherit(model, { name: 'colour', version: '1', reason, hangs: 1 });
  const inherited = next.toSnapshot(model);
  assert.deepEqual([inherited.state, inherited.reason, inherited.hangs], ['failed', reason, 1]);
  await assert.rejects(next.load(model), hasCode('ERR_MODEL_UNAVAILABLE', /loadTimeoutMs/));
  await waitFor(() => next.toSnapshot(model).state === 'ready');
  assert.equal(next.toSnapshot(model).reason, undefined);
});
