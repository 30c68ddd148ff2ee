import assert from 'node:assert/strict';
import test from 'node:test';
import type { WorkerSnapshot } from '../../src/ipc/messages.ts';
import { startHeartbeat } from '../../src/worker/heartbeat.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { createSnapshot } from '../fixtures/worker-snapshot.ts';

const snapshot = createSnapshot();

/** The timers are the test's own, and `advance` lets snapshots that were taken be pushed. */
function startBeating(context: test.TestContext, intervalMs: number) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  context.mock.method(performance, 'now', () => nowMs);
  let pushed = 0;
  const beatSoon = startHeartbeat(
    intervalMs,
    () => Promise.resolve(snapshot),
    () => (pushed += 1),
  );
  const advance = async (ms: number) => {
    nowMs += ms;
    context.mock.timers.tick(ms);
    await new Promise(setImmediate);
  };
  return { beatSoon, advance, pushed: () => pushed };
}

test('an_idle_worker_beats_at_its_interval', async (context) => {
  const { advance, pushed } = startBeating(context, 1000);
  await advance(0);
  assert.equal(pushed(), 1);
  await advance(999);
  assert.equal(pushed(), 1);
  await advance(1);
  assert.equal(pushed(), 2);
});

test('a_change_is_told_soon', async (context) => {
  const { beatSoon, advance, pushed } = startBeating(context, 10_000);
  await advance(0);
  beatSoon();
  await advance(200);
  assert.equal(pushed(), 2);
});

test('changes_without_end_neither_delay_nor_multiply_the_beat', async (context) => {
  const { beatSoon, advance, pushed } = startBeating(context, 1000);
  await advance(0);
  for (let elapsedMs = 0; elapsedMs < 5000; elapsedMs += 50) {
    beatSoon();
    await advance(50);
  }
  assert.equal(pushed(), 6);
});

test('changes_while_a_snapshot_is_taken_start_no_second_one', async () => {
  let taken = 0;
  let finish: (taken: WorkerSnapshot) => void = () => undefined;
  let pushed = 0;
  const beatSoon = startHeartbeat(
    1,
    () => {
      taken += 1;
      return new Promise((resolve) => (finish = resolve));
    },
    () => (pushed += 1),
  );
  beatSoon();
  beatSoon();
  assert.equal(taken, 1);
  finish(snapshot);
  await waitFor(() => pushed === 1 && taken === 2);
});
