import assert from 'node:assert/strict';
import { connect } from 'node:net';
import test from 'node:test';
import { makePhoto, makePlain } from '../fixtures/pictures.ts';
import { startPoisonedService } from '../fixtures/poisoned-service.ts';
import { isAlive } from '../fixtures/process-life.ts';
import { endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

const stuckMs = 1500;
/** Enough for a cold model to load on a busy machine. */
const coldDeadlineMs = 60_000;

function startPoisoned(context: test.TestContext, ...args: readonly string[]): Promise<Service> {
  const settings = ['--set', `supervisor.stuckMs=${String(stuckMs)}`, '--set', 'inference.maxBatch=1'];
  return startPoisonedService(context, [...settings, ...args]);
}

test('a_session_that_never_returns_costs_its_own_image_alone_and_the_slot_serves_again', async (context) => {
  const service = await startPoisoned(context, '--set', `check.deadlineMs=${String(coldDeadlineMs)}`);
  const [photo, poison] = await Promise.all([makePhoto(), makePlain(255)]);
  const before = (await warmWorkers(service, photo)).map(({ pid }) => pid);

  const load = startRunningLoad(context, service.url, photo);
  await waitFor(() => load.outcomes.length > 20);
  const startedAt = performance.now();
  const poisoned = await postRaw(service.url, poison);
  const tookMs = performance.now() - startedAt;
  assert.equal(poisoned.status, 503);
  assert.equal(poisoned.body.code, 'ERR_WORKER_STUCK');
  assert.ok(Number(poisoned.headers['retry-after']) >= 1);
  assert.ok(tookMs < stuckMs + 1000, `${String(tookMs)} ms`);

  await waitFor(
    async () => (await readTotal(service.opsUrl, 'image_check_worker_restarts_total', 'reason="harakiri"')) === 1,
  );
  const slot = (await service.health()).workers.findIndex(({ pid }, index) => pid !== before[index]);
  assert.notEqual(slot, -1);
  await waitFor(async () => {
    const { status, body } = await postRaw(service.url, photo);
    assert.deepEqual([status, body.code, body.detail], [200, undefined, undefined]);
    return ((await service.health()).workers[slot]?.checked ?? 0) > 0;
  });
  await waitFor(async () => (await service.health()).workers.every(({ serving }) => serving));
  await endUnharmed(load);
  // The stuck process is gone, and the total of what it did is not.
  await waitFor(() => !before.every((pid) => isAlive(pid)));
});

test('a_worker_that_can_not_finish_beside_its_stuck_thread_is_killed_at_harakiri', async (context) => {
  const service = await startPoisoned(context, '--workers', '1', '--set', 'supervisor.harakiriMs=2000');
  const [photo, poison] = await Promise.all([makePhoto(), makePlain(255)]);
  assert.equal((await postRaw(service.url, photo)).status, 200);
  const [before] = (await service.health()).workers;
  assert.ok(before);
  // An upload that is not whole for upload.idleTimeoutMs, 10 s, holds the worker.
  const held = connect(service.port, '127.0.0.1').on('error', () => undefined);
  context.after(() => held.destroy());
  held.write('POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\nx');
  await waitFor(async () => ((await service.health()).workers[0]?.inFlight ?? 0) > 0);
  const startedAt = performance.now();
  assert.equal((await postRaw(service.url, poison)).status, 503);
  await waitFor(() => !isAlive(before.pid), 'the stuck worker is killed', 20_000);
  assert.ok(performance.now() - startedAt < 9000, 'before the held upload timed out');
  assert.match(service.stderr(), /"timeout":"harakiri"/);
  await waitFor(async () => (await service.health()).workers[0]?.serving === true);
  assert.equal((await postRaw(service.url, photo)).status, 200);
});

test('workers_are_gone_with_their_primary_although_one_is_stuck', async (context) => {
  const service = await startPoisoned(context, '--set', 'check.deadlineMs=100000', '--set', 'supervisor.stuckMs=60000');
  const poison = await makePlain(255);
  const lost = postRaw(service.url, poison).catch((thrown: unknown) => thrown);
  await waitFor(async () =>
    (await service.health()).workers.some(({ models }) => models['quality']?.state === 'ready'),
  );
  await waitFor(async () => (await service.health()).workers.some(({ inFlight }) => inFlight > 0));
  const { workers } = await service.health();
  service.process.kill('SIGKILL');
  await waitFor(() => workers.every(({ pid }) => !isAlive(pid)), 'the workers are gone', 5000);
  assert.ok((await lost) instanceof Error);
  const again = await startService(context, { args: ['--port', String(service.port)] });
  assert.equal((await postRaw(again.url, await makePhoto())).status, 200);
});
