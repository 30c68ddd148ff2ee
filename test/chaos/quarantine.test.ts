import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { journalDescriptor } from '../../src/ipc/worker-descriptors.ts';
import { makePhoto, makePlain } from '../fixtures/pictures.ts';
import { startPoisonedService } from '../fixtures/poisoned-service.ts';
import type { Service } from '../fixtures/service.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';
import { drawPlain } from '../image/fixtures.ts';

/** The tests read in /proc what a worker is at. */
const needsProc = { skip: process.platform !== 'linux' };

/** For pictures that take long enough to be caught at it. */
const roomForLargeAvif = 'image.maxDecodeBytes=1073741824';

function toFlags(...settings: readonly string[]): string[] {
  return settings.flatMap((setting) => ['--set', setting]);
}

const bothServe = (service: Service) => async (): Promise<boolean> =>
  (await service.health()).workers.every(({ serving }) => serving);

/**
 * Waits until native code of the only worker works on a step, as its journal says.
 * @returns its process id
 */
async function waitForNote(service: Service, step: string): Promise<number> {
  const { pid } = (await service.health()).workers[0] ?? { pid: 0 };
  const journal = `/proc/${String(pid)}/fd/${String(journalDescriptor)}`;
  await waitFor(() => readFileSync(journal, 'utf8').includes(`:${step}`));
  return pid;
}

function countSuspects(service: Service, state: 'suspected' | 'quarantined'): Promise<number> {
  return readTotal(service.opsUrl, 'image_check_suspects', `state="${state}"`);
}

test('an_image_that_hung_twice_is_refused_by_all_workers_and_others_are_not', async (context) => {
  const service = await startPoisonedService(context, ['--set', 'supervisor.stuckMs=1500']);
  const [photo, poison] = await Promise.all([makePhoto(), makePlain(255)]);
  await warmWorkers(service, photo);
  for (const strikes of [1, 2]) {
    const stuck = await postRaw(service.url, poison, { headers: { 'X-Request-Id': `poison-${String(strikes)}` } });
    assert.equal(stuck.body.code, 'ERR_WORKER_STUCK');
    await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_worker_restarts_total')) === strikes);
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

test(
  'an_image_in_flight_at_two_crashes_is_refused_and_one_that_was_checked_before_is_not',
  needsProc,
  async (context) => {
    const service = await startPoisonedService(context, ['--workers', '1', '--set', 'supervisor.stuckMs=9000']);
    const [photo, poison] = await Promise.all([makePhoto(), makePlain(255)]);
    for (const strikes of [1, 2]) {
      assert.equal((await postRaw(service.url, photo)).status, 200);
      const lost = postRaw(service.url, poison).catch((thrown: unknown) => thrown);
      process.kill(await waitForNote(service, 'quality@1'), 'SIGSEGV');
      assert.ok((await lost) instanceof Error);
      await waitFor(async () => (await countSuspects(service, strikes === 1 ? 'suspected' : 'quarantined')) === 1);
      await waitFor(bothServe(service));
    }
    assert.equal((await postRaw(service.url, poison)).body.code, 'ERR_IMAGE_QUARANTINED');
    assert.equal((await postRaw(service.url, photo)).status, 200);
  },
);

test('an_image_in_flight_when_somebody_kills_its_worker_is_not_suspected', needsProc, async (context) => {
  const service = await startPoisonedService(context, ['--workers', '1', '--set', 'supervisor.stuckMs=9000']);
  const [photo, poison] = await Promise.all([makePhoto(), makePlain(255)]);
  for (const deaths of [1, 2]) {
    assert.equal((await postRaw(service.url, photo)).status, 200);
    const lost = postRaw(service.url, poison).catch((thrown: unknown) => thrown);
    process.kill(await waitForNote(service, 'quality@1'), 'SIGKILL');
    assert.ok((await lost) instanceof Error);
    await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_worker_restarts_total')) === deaths);
    await waitFor(bothServe(service));
  }
  assert.deepEqual([await countSuspects(service, 'suspected'), await countSuspects(service, 'quarantined')], [0, 0]);
  assert.equal(service.stderr().split('"cause":"killed"').length - 1, 2);
});

test('an_image_that_ran_out_of_time_twice_is_refused_by_all_workers', async (context) => {
  const service = await startPoisonedService(context, toFlags('image.decodeTimeoutMs=100', roomForLargeAvif));
  const photo = await makePhoto();
  await warmWorkers(service, photo);
  // Two kilobytes that take half a second.
  const slow = await drawPlain([64, 128, 160], 4900, 4900).avif({ effort: 0 }).toBuffer();
  for (const timeouts of [1, 2]) {
    const { status, headers, body } = await postRaw(service.url, slow);
    assert.deepEqual([status, body.code, headers['retry-after']], [503, 'ERR_DECODE_TIMEOUT', '1']);
    await waitFor(async () => (await countSuspects(service, timeouts === 1 ? 'suspected' : 'quarantined')) === 1);
  }
  const refusals = await Promise.all(Array.from({ length: 8 }, () => postRaw(service.url, slow)));
  assert.deepEqual(
    refusals.map(({ status, body }) => [status, body.code]),
    Array(8).fill([422, 'ERR_IMAGE_QUARANTINED']),
  );
  assert.equal((await postRaw(service.url, photo)).status, 200);
  assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total'), 0);
});

test('a_suspect_that_goes_through_is_cleared', needsProc, async (context) => {
  const settings = ['image.maxPixels=100000000', 'image.decodeTimeoutMs=60000', 'check.deadlineMs=60000'];
  const flags = toFlags(...settings, roomForLargeAvif);
  const service = await startPoisonedService(context, ['--workers', '1', ...flags]);
  // Two kilobytes that take a second, for somebody to kill the worker meanwhile.
  const slow = await drawPlain([64, 128, 160], 7000, 7000).avif({ effort: 0 }).toBuffer();
  const lost = postRaw(service.url, slow).catch((thrown: unknown) => thrown);
  process.kill(await waitForNote(service, 'decode'), 'SIGSEGV');
  assert.ok((await lost) instanceof Error);
  await waitFor(async () => (await countSuspects(service, 'suspected')) === 1);
  await waitFor(bothServe(service));
  assert.equal((await postRaw(service.url, slow)).status, 200);
  await waitFor(async () => (await countSuspects(service, 'suspected')) === 0);
  assert.equal(await countSuspects(service, 'quarantined'), 0);
});
