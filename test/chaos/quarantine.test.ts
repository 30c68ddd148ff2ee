import assert from 'node:assert/strict';
import test from 'node:test';
import { makePhoto, makePlain } from '../fixtures/pictures.ts';
import { startPoisonedService } from '../fixtures/poisoned-service.ts';
import type { Service } from '../fixtures/service.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const bothServe = (service: Service) => async (): Promise<boolean> =>
  (await service.health()).workers.every(({ serving }) => serving);

/**
 * Waits until the only worker does nothing but run a batch which does not come back: two snapshots in a row say so.
 * @returns its process id
 */
async function waitForRun(service: Service, count: number): Promise<number> {
  let pid = 0;
  let snapshots = 0;
  let ageMs: number | null = 0;
  await waitFor(async () => {
    const [worker] = (await service.health()).workers;
    if (worker?.heartbeatAgeMs == null) return false;
    const isNew = ageMs === null || worker.heartbeatAgeMs < ageMs;
    ageMs = worker.heartbeatAgeMs;
    pid = worker.pid;
    const isRunning = worker.ready && worker.inFlight === count && worker.queueDepth < count;
    if (isNew) snapshots = isRunning ? snapshots + 1 : 0;
    return snapshots === 2;
  });
  return pid;
}

function countSuspects(service: Service, state: 'suspected' | 'quarantined'): Promise<number> {
  return readTotal(service.opsUrl, 'image_check_suspects', `state="${state}"`);
}

test('an_image_that_hung_twice_is_refused_by_all_workers_and_others_are_not', async (context) => {
  const service = await startPoisonedService(context, ['--set', 'supervisor.stuckMs=1500']);
  const [photo, poison] = await Promise.all([makePhoto(), makePlain(255)]);
  for (const accidents of [1, 2]) {
    const stuck = await postRaw(service.url, poison, { headers: { 'X-Request-Id': `poison-${String(accidents)}` } });
    assert.equal(stuck.body.code, 'ERR_WORKER_STUCK');
    await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_worker_restarts_total')) === accidents);
    await waitFor(bothServe(service));
  }
  assert.equal(await countSuspects(service, 'quarantined'), 1);
  const refusals = await Promise.all(Array.from({ length: 8 }, () => postRaw(service.url, poison)));
  assert.deepEqual(
    refusals.map(({ status, body }) => [status, body.code]),
    Array(8).fill([422, 'ERR_IMAGE_QUARANTINED']),
  );
  assert.deepEqual(new Set(await listAnswering(service, photo)).size, 2, 'both workers serve the other image');
  assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total'), 2);

  const lines = service.stderr().split('\n');
  const line = lines.find((text) => text.includes('"requestId":"poison-1"'));
  assert.match(line ?? '', /"imageHash":"[0-9a-f]{64}","format":"jpeg","width":\d+,"height":\d+,"bytes":\d+/);
});

async function listAnswering(service: Service, photo: Buffer): Promise<(number | undefined)[]> {
  const answers = await Promise.all(Array.from({ length: 8 }, () => postRaw(service.url, photo)));
  assert.ok(answers.every(({ status }) => status === 200));
  return answers.map(({ body }) => body.worker?.slot);
}

test('an_image_in_flight_at_two_deaths_is_refused_and_one_that_was_checked_before_is_not', async (context) => {
  const service = await startPoisonedService(context, ['--workers', '1', '--set', 'supervisor.stuckMs=9000']);
  const [photo, poison] = await Promise.all([makePhoto(), makePlain(255)]);
  for (const accidents of [1, 2]) {
    assert.equal((await postRaw(service.url, photo)).status, 200);
    const lost = postRaw(service.url, poison).catch((thrown: unknown) => thrown);
    process.kill(await waitForRun(service, 1), 'SIGKILL');
    assert.ok((await lost) instanceof Error);
    await waitFor(async () => (await countSuspects(service, accidents === 1 ? 'suspected' : 'quarantined')) === 1);
    await waitFor(bothServe(service));
  }
  assert.equal((await postRaw(service.url, poison)).body.code, 'ERR_IMAGE_QUARANTINED');
  assert.equal((await postRaw(service.url, photo)).status, 200);
});

test('a_suspect_that_goes_through_is_cleared', async (context) => {
  const service = await startPoisonedService(context, ['--workers', '1', '--set', 'supervisor.stuckMs=9000']);
  const [photo, poison, grey] = await Promise.all([makePhoto(), makePlain(255), makePlain(128)]);
  assert.equal((await postRaw(service.url, grey)).status, 200);
  const lost = [poison, photo].map((bytes) => postRaw(service.url, bytes).catch((thrown: unknown) => thrown));
  process.kill(await waitForRun(service, 2), 'SIGSEGV');
  await Promise.all(lost);
  await waitFor(async () => (await countSuspects(service, 'suspected')) > 0);
  await waitFor(bothServe(service));
  assert.equal((await postRaw(service.url, photo)).status, 200);
  await waitFor(async () => (await countSuspects(service, 'suspected')) === 1);
  assert.equal(await countSuspects(service, 'quarantined'), 0);
});
