import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { startService } from '../fixtures/service.ts';
import { postForm, postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

test('after_a_lazy_start_all_serve_none_is_ready_and_uploads_make_both_ready', async (context) => {
  const service = await startService(context);
  const before = await service.health();
  assert.equal(before.status, 'ready');
  assert.deepEqual(
    before.workers.map(({ slot, serving, ready }) => ({ slot, serving, ready })),
    [
      { slot: 0, serving: true, ready: false },
      { slot: 1, serving: true, ready: false },
    ],
  );
  assert.ok(before.workers.every(({ models }) => models['quality']?.state === 'cold'));

  const photo = await makePhoto();
  const first = await Promise.all(Array.from({ length: 4 }, () => postRaw(service.url, photo)));
  assert.deepEqual(
    first.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  await waitFor(async () => (await service.health()).workers.every(({ ready }) => ready));
});

test('64_parallel_uploads_are_all_answered_and_by_both_workers', async (context) => {
  const service = await startService(context);
  const photos = await Promise.all(Array.from({ length: 64 }, (_, index) => makePhoto(index + 1)));
  const answers = await Promise.all(
    photos.map((bytes, index) => postForm(service.url, [{ name: `${String(index)}.jpg`, bytes }])),
  );
  for (const { status, body } of answers) assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([...new Set(answers.map(({ body }) => body.worker?.slot))].sort(), [0, 1]);
  assert.deepEqual([...new Set(answers.map(({ body }) => body.requestId))].length, 64);
  await waitFor(async () => {
    const { workers } = await service.health();
    return workers.reduce((sum, { checked }) => sum + checked, 0) === 64;
  });
  await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_checks_total')) === 64);
  assert.equal(await readTotal(service.opsUrl, 'image_check_errors_total'), 0);
});

test('the_primary_never_maps_tensorflow_and_stays_small', async (context) => {
  const service = await startService(context);
  const photo = await makePhoto();
  await Promise.all(Array.from({ length: 8 }, () => postRaw(service.url, photo)));
  const { primary, workers } = await service.health();
  const toMaps = (pid: number): string => readFileSync(`/proc/${String(pid)}/maps`, 'utf8');
  assert.doesNotMatch(toMaps(primary.pid), /libtensorflow|libvips/);
  // The check can fail: it does find what a worker maps.
  assert.ok(workers.some(({ pid }) => /libvips/.test(toMaps(pid))));
  assert.ok(primary.rssBytes < 90e6, `${String(primary.rssBytes)} bytes`);
});

test('eager_workers_are_ready_before_they_take_traffic', async (context) => {
  const service = await startService(context, { args: ['--set', 'model.load=eager'] });
  const { workers } = await service.health();
  assert.ok(workers.every(({ ready, serving }) => ready && serving));
});
