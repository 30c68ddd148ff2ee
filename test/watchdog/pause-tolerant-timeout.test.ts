import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { startPauseTolerantTimeout } from '../../src/pause-tolerant-timeout.ts';
import { waitFor } from '../fixtures/wait-for.ts';

test('a_pause_tolerant_timeout_fires_after_its_time', async () => {
  const startedAt = performance.now();
  let overAt = 0;
  startPauseTolerantTimeout(160, () => (overAt = performance.now()));
  await waitFor(() => overAt > 0);
  // Timers may be early by a part of a millisecond each.
  assert.ok(overAt - startedAt > 140, `${String(overAt - startedAt)} ms`);
});

test('time_in_which_the_process_stood_still_does_not_count', async () => {
  let isOver = false;
  startPauseTolerantTimeout(160, () => (isOver = true));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  await setImmediate();
  await setImmediate();
  assert.equal(isOver, false);
  await waitFor(() => isOver);
});

test('a_wait_that_was_ended_is_never_over', async () => {
  let isOver = false;
  const stopWaiting = startPauseTolerantTimeout(16, () => (isOver = true));
  const stopLater = startPauseTolerantTimeout(64, () => (isOver = true));
  stopWaiting();
  let isLate = false;
  startPauseTolerantTimeout(32, () => (isLate = true));
  await waitFor(() => isLate);
  stopLater();
  isLate = false;
  startPauseTolerantTimeout(96, () => (isLate = true));
  await waitFor(() => isLate);
  assert.equal(isOver, false);
});
