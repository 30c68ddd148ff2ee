import assert from 'node:assert/strict';
import test from 'node:test';
import type { Worker } from 'node:worker_threads';
import { drawLandscape } from '../../src/train/samples/landscape.ts';
import { startSampleSource } from '../../src/train/samples/sample-source.ts';
import { renderSample } from '../../src/train/samples/samples.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const size = { width: 128, height: 96 };

test('threads_render_the_same_samples_as_this_one_in_any_order', async (context) => {
  const photos = [drawLandscape(1, 160, 120), drawLandscape(2, 120, 160)];
  const source = startSampleSource(photos, 3);
  context.after(() => source.stop());
  // Numbers 5 and 23 are drawings.
  for (const index of [23, 4, 1, 5, 0, 3, 2]) source.request(index, size);
  for (const index of [0, 1, 2, 3, 4, 5, 23]) {
    assert.deepEqual(await source.take(index), await renderSample(photos, 3, index, size));
  }
  await assert.rejects(source.take(4), /sample 4 was not requested/, 'each can be taken once');
  await assert.rejects(source.take(7), /sample 7 was not requested/);
});

test('failures_are_passed_on_and_stopping_ends_the_threads', async (context) => {
  const threads: Worker[] = [];
  const collect = (thread: Worker) => threads.push(thread);
  process.on('worker', collect);
  const source = startSampleSource([], 3);
  context.after(async () => {
    process.off('worker', collect);
    await source.stop();
  });
  source.request(0, size);
  source.request(1, size);
  await assert.rejects(source.take(1), /there is no photograph/);
  await assert.rejects(source.take(0), /there is no photograph/);

  // Node emits this for a thread that ran out of memory.
  source.request(2, size);
  assert.ok(threads[0]);
  threads[0].emit('error', new Error('out of memory'));
  await assert.rejects(source.take(2), /out of memory/);
  source.request(3, size);
  await assert.rejects(source.take(3), /out of memory/, 'later requests fail at once');

  const ended = new Set<Worker>();
  for (const thread of threads) thread.on('exit', () => ended.add(thread));
  source.request(4, size);
  await source.stop();
  await waitFor(() => threads.length > 0 && ended.size === threads.length);
});
