import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noDeadline } from '../../src/deadline.ts';
import { createDecodeMemory, type MemoryPermit } from '../../src/image/decode-memory.ts';
import { assertRejects } from './fixtures.ts';

const maxBytes = 100;

/** Lets all pending callbacks run. */
function settleAll(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Asks for memory, and notes in `admitted` when it is there. */
function ask(memory: ReturnType<typeof createDecodeMemory>, admitted: number[], bytes: number): Promise<MemoryPermit> {
  const asking = memory.acquire(bytes, maxBytes, noDeadline);
  void asking.then(() => admitted.push(bytes));
  return asking;
}

test('decodes_run_side_by_side_as_far_as_their_bytes_fit', async () => {
  const memory = createDecodeMemory();
  const admitted: number[] = [];
  const [first] = [40, 60, 1].map((bytes) => ask(memory, admitted, bytes));
  await settleAll();
  assert.deepEqual(admitted, [40, 60]);
  (await first)?.release();
  await settleAll();
  assert.deepEqual(admitted, [40, 60, 1]);
});

test('a_large_picture_is_not_passed_by_small_ones_that_came_later', async () => {
  const memory = createDecodeMemory();
  const admitted: number[] = [];
  const [first, , large] = [50, 20, 90, 5].map((bytes) => ask(memory, admitted, bytes));
  await settleAll();
  assert.deepEqual(admitted, [50, 20]);
  (await first)?.release();
  await settleAll();
  assert.deepEqual(admitted, [50, 20], 'the large one still does not fit');
  assert.ok(large);
});

test('one_that_needs_more_than_there_is_takes_all_of_it_alone', async () => {
  const memory = createDecodeMemory();
  const admitted: number[] = [];
  const [first, large] = [10, 1000, 10].map((bytes) => ask(memory, admitted, bytes));
  await settleAll();
  assert.deepEqual(admitted, [10]);
  (await first)?.release();
  await settleAll();
  assert.deepEqual(admitted, [10, 1000]);
  (await large)?.release();
  await settleAll();
  assert.deepEqual(admitted, [10, 1000, 10]);
});

test('memory_is_held_until_its_native_work_ends_even_if_the_caller_is_gone', async () => {
  const memory = createDecodeMemory();
  const admitted: number[] = [];
  const permit = await ask(memory, admitted, 100);
  let finish = (): void => undefined;
  const working = permit.run(() => new Promise<void>((resolve) => (finish = resolve)));
  permit.release();
  void ask(memory, admitted, 1);
  await settleAll();
  assert.deepEqual(admitted, [100]);
  finish();
  await working;
  await settleAll();
  assert.deepEqual(admitted, [100, 1]);
});

test('work_that_fails_gives_its_memory_back_and_once_only', async () => {
  const memory = createDecodeMemory();
  const admitted: number[] = [];
  const permit = await ask(memory, admitted, 100);
  await assert.rejects(
    permit.run(() => Promise.reject(new Error('damaged'))),
    /damaged/,
  );
  permit.release();
  permit.release();
  for (const bytes of [60, 60]) void ask(memory, admitted, bytes);
  await settleAll();
  assert.deepEqual(admitted, [100, 60]);
});

test('who_gives_up_waiting_lets_the_next_one_in', async () => {
  const memory = createDecodeMemory();
  const admitted: number[] = [];
  await ask(memory, admitted, 50);
  const controller = new AbortController();
  const leaving = memory.acquire(90, maxBytes, { deadlineAt: Infinity, signal: controller.signal });
  void ask(memory, admitted, 5);
  controller.abort();
  await assertRejects(leaving, 'ERR_DEADLINE');
  await settleAll();
  assert.deepEqual(admitted, [50, 5]);
  const late = memory.acquire(90, maxBytes, { ...noDeadline, deadlineAt: performance.now() + 5 });
  await assertRejects(late, 'ERR_DEADLINE');
});
