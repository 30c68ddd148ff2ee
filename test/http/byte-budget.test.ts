import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceError } from '../../src/errors.ts';
import { type ByteBudget, createByteBudget } from '../../src/http/upload/byte-budget.ts';
import { createByteCollector } from '../../src/http/upload/byte-collector.ts';

const block = 65_536;

/** Starts an upload of which `bytes` have arrived, and tells whether it was refused. */
function arrive(budget: ByteBudget, bytes: number, maxBytes = 100 * block) {
  const permit = budget.open(maxBytes);
  const refusals: ServiceError[] = [];
  permit.start((error) => refusals.push(error));
  permit.charge(bytes);
  return { ...permit, codes: () => refusals.map(({ code }) => code) };
}

function countRefused(...uploads: { codes: () => string[] }[]): number[] {
  return uploads.map(({ codes }) => codes().length);
}

test('announced_bytes_take_no_room_received_ones_are_charged_in_blocks', () => {
  const budget = createByteBudget(4 * block);
  const announced = Array.from({ length: 50 }, () => arrive(budget, 0));
  const first = arrive(budget, 3 * block);
  const second = arrive(budget, 1);
  assert.deepEqual(countRefused(...announced, first, second), new Array(52).fill(0));
  const third = arrive(budget, 1);
  assert.deepEqual(first.codes(), ['ERR_OVERLOADED']);
  assert.deepEqual(countRefused(...announced, second, third), new Array(52).fill(0));
});

test('an_upload_is_not_charged_more_than_it_can_come_to', () => {
  const budget = createByteBudget(100);
  const [first, second] = [arrive(budget, 1, 60), arrive(budget, 1, 40)];
  assert.deepEqual(countRefused(first, second), [0, 0]);
});

test('at_the_limit_the_upload_that_waited_longest_for_its_next_block_is_evicted_once', () => {
  const budget = createByteBudget(10 * block);
  const stalled = arrive(budget, 3 * block);
  const growing = arrive(budget, block);
  for (let blocks = 0; blocks < 6; blocks += 1) growing.charge(block);
  stalled.charge(1);
  assert.deepEqual(countRefused(stalled, growing), [1, 0]);
  const next = arrive(budget, 3 * block);
  stalled.charge(5 * block);
  stalled.settle();
  stalled.release();
  assert.deepEqual(countRefused(stalled, growing, next), [1, 0, 0]);
  next.charge(1);
  assert.deepEqual(countRefused(stalled, growing, next), [1, 1, 0]);
});

test('a_burst_that_stalls_makes_room_for_a_slower_upload_that_goes_on', () => {
  const budget = createByteBudget(10 * block);
  const burst = arrive(budget, 9 * block);
  const slow = arrive(budget, 1);
  for (let bytes = 1; bytes <= block; bytes += block / 16) slow.charge(block / 16);
  assert.deepEqual(countRefused(burst, slow), [1, 0]);
});

test('uploads_of_a_few_bytes_are_not_evicted_for_a_large_one', () => {
  const budget = createByteBudget(2 * block);
  const small = Array.from({ length: 20 }, () => arrive(budget, 1, 1000));
  const large = arrive(budget, block + 1);
  assert.deepEqual(countRefused(...small), new Array(20).fill(0));
  assert.deepEqual(countRefused(large), [1]);
});

test('an_upload_beside_complete_ones_is_refused_itself_and_at_once_where_not_even_its_first_bytes_fit', () => {
  const budget = createByteBudget(4 * block);
  const whole = arrive(budget, 3 * block);
  whole.settle();
  const growing = arrive(budget, 1);
  growing.charge(block);
  assert.deepEqual([whole.codes(), growing.codes()], [[], ['ERR_OVERLOADED']]);
  arrive(budget, block).settle();
  assert.throws(() => budget.open(1), { code: 'ERR_OVERLOADED', retryAfterSeconds: 1 });
});

test('bytes_that_are_given_back_twice_count_once', () => {
  const budget = createByteBudget(4 * block);
  const first = arrive(budget, 2 * block);
  first.settle();
  arrive(budget, 2 * block).settle();
  first.release();
  first.release();
  arrive(budget, 2 * block).settle();
  assert.throws(() => budget.open(1), { code: 'ERR_OVERLOADED' });
});

test('a_collector_gives_back_what_it_was_given_beyond_what_it_expected_and_for_nothing_at_all', () => {
  const collector = createByteCollector(2);
  assert.equal(collector.toBytes().length, 0);
  for (let byte = 0; byte < 1000; byte += 1) collector.append(Uint8Array.of(byte & 255));
  collector.append(Buffer.alloc(5000, 7));
  const bytes = collector.toBytes();
  assert.equal(bytes.length, 6000);
  assert.deepEqual([bytes[0], bytes[255], bytes[256], bytes[999], bytes[5999]], [0, 255, 0, 231, 7]);
});

test('a_collector_reserves_little_before_much_has_come_and_no_more_than_it_expects_after_that', () => {
  const collector = createByteCollector(10_000_000);
  assert.equal(collector.toBytes().buffer.byteLength, 0);
  collector.append(Buffer.alloc(1000));
  assert.equal(collector.toBytes().buffer.byteLength, 8000);
  collector.append(Buffer.alloc(3_000_000));
  assert.equal(collector.toBytes().buffer.byteLength, 10_000_000);
});

test('a_million_one_byte_pieces_take_little_more_memory_than_their_bytes', () => {
  const before = process.memoryUsage();
  const collector = createByteCollector(16);
  for (let count = 0; count < 1_000_000; count += 1) collector.append(Uint8Array.of(1));
  const after = process.memoryUsage();
  assert.equal(collector.toBytes().length, 1_000_000);
  assert.ok(collector.toBytes().buffer.byteLength < 3_000_000);
  assert.ok(after.arrayBuffers - before.arrayBuffers < 50_000_000);
});
