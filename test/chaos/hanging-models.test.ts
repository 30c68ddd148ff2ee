import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { makePoisonModel } from '../fixtures/poison-model.ts';
import { isAlive } from '../fixtures/process-life.ts';
import { endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startService, type WorkerHealth } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';
import { drawPlain } from '../image/fixtures.ts';

/** Native TensorFlow is loaded in it too, which takes some seconds on a busy machine; below check.deadlineMs. */
const loadTimeoutMs = 8000;
/** A failed load is tried again after a second, where it is. */
const retryMs = 1000;
const hanging = { 'hangs-at-load': makePoisonModel('load'), 'hangs-at-first-run': makePoisonModel('black') };

async function startWithHanging(context: test.TestContext): Promise<Service> {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'quality' });
  for (const [name, files] of Object.entries(hanging)) {
    await writeColourModel(dir, { name, files, manifest: { format: 'tf-savedmodel' }, policy: {} });
  }
  const setting = `supervisor.loadTimeoutMs=${String(loadTimeoutMs)}`;
  // The load is to be given up before the request for it is.
  const deadline = 'check.deadlineMs=60000';
  return startService(context, { args: ['--models', dir, '--set', setting, '--set', deadline] });
}

/** Asks for a model that hangs, and finds the reason in the answer and in /health. */
async function assertFails(service: Service, photo: Buffer, name: string): Promise<void> {
  const reason = new RegExp(`not loaded within ${String(loadTimeoutMs)} ms \\(supervisor\\.loadTimeoutMs\\)`);
  const asked = postRaw(service.url, photo, { query: `?model=${name}` });
  let failed: WorkerHealth['models'][string] | undefined;
  await waitFor(async () => {
    const { workers } = await service.health();
    failed = workers.map(({ models }) => models[name]).find((model) => model?.state === 'failed');
    return failed !== undefined;
  });
  assert.match(failed?.reason ?? '', reason);
  const answer = await asked;
  assert.deepEqual([answer.status, answer.body.code], [503, 'ERR_MODEL_UNAVAILABLE']);
  assert.match(answer.body.detail ?? '', reason);
}

test('models_that_hang_while_they_are_loaded_or_first_run_fail_and_no_other_does', async (context) => {
  const service = await startWithHanging(context);
  const photo = await makePhoto();
  const before = (await warmWorkers(service, photo)).map(({ pid }) => pid);
  const harakiri = (): Promise<number> =>
    readTotal(service.opsUrl, 'image_check_worker_restarts_total', 'reason="harakiri"');
  const load = startRunningLoad(context, service.url, photo, { clients: 2 });
  // On a connection each, so that both workers have a thread that hangs.
  await Promise.all(Object.keys(hanging).map((name) => assertFails(service, photo, name)));
  await waitFor(async () => (await harakiri()) === 2 && !before.some((pid) => isAlive(pid)));
  const { workers } = await service.health();
  await delay(3 * retryMs);
  const after = (await service.health()).workers;
  await endUnharmed(load);
  // What nobody asks for again hangs no other thread.
  assert.deepEqual(
    after.map(({ pid }) => pid),
    workers.map(({ pid }) => pid),
  );
  const states = after.flatMap(({ models }) => Object.keys(hanging).map((name) => models[name]?.state));
  assert.ok(!states.includes('loading') && !states.includes('ready'), states.join());
  assert.ok(after.every(({ serving, ready }) => serving && ready));
});

test('an_eager_worker_whose_default_model_hangs_says_so_and_is_not_killed_for_booting_too_long', async (context) => {
  const dir = makeTempDir(context);
  const manifest = { format: 'tf-savedmodel' };
  await writeColourModel(dir, { name: 'quality', files: hanging['hangs-at-load'], manifest, policy: {} });
  // A loaded machine needs seconds for a boot itself.
  const limits = ['supervisor.loadTimeoutMs=9000', 'supervisor.bootTimeoutMs=8000', 'model.load=eager'];
  const args = ['--models', dir, '--workers', '1', ...limits.flatMap((limit) => ['--set', limit])];
  const service = await startService(context, { args });
  await waitFor(async () => {
    const [worker] = (await service.health()).workers;
    return /not loaded within 9000 ms/.test(worker?.models['quality']?.reason ?? '');
  });
  assert.equal((await fetch(`${service.opsUrl}/readyz`)).status, 503);
  const total = (reason: string): Promise<number> =>
    readTotal(service.opsUrl, 'image_check_worker_restarts_total', `reason="${reason}"`);
  // The process with the thread that hangs is replaced; the next one knows, and waits before it tries again.
  await waitFor(async () => (await total('harakiri')) === 1);
  assert.match((await service.health()).workers[0]?.models['quality']?.reason ?? '', /not loaded within 9000 ms/);
  assert.equal(await total('boot'), 0);
});

test('a_picture_that_takes_too_long_to_decode_is_answered_in_time_while_others_go_on', async (context) => {
  // A picture of less than half of the pixels that are allowed leaves room for another beside it.
  const settings = ['image.decodeTimeoutMs=500', 'image.maxPixels=100000000', 'image.maxDecodeBytes=1073741824'];
  const service = await startService(context, { args: settings.flatMap((setting) => ['--set', setting]) });
  const photo = await makePhoto();
  // Two kilobytes that take a second.
  const slow = await drawPlain([64, 128, 160], 7000, 7000).avif({ effort: 0 }).toBuffer();
  await warmWorkers(service, photo);
  const load = startRunningLoad(context, service.url, photo, { clients: 2 });
  await waitFor(() => load.outcomes.length > 20);
  // One for each worker.
  for (const { status, body } of await Promise.all([postRaw(service.url, slow), postRaw(service.url, slow)])) {
    assert.deepEqual([status, body.code], [503, 'ERR_DECODE_TIMEOUT']);
    assert.match(body.detail ?? '', /not decoded within 500 ms/);
  }
  const countAfter = load.outcomes.length;
  await waitFor(() => load.outcomes.length > countAfter + 50);
  await endUnharmed(load);
});
