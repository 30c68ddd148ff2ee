import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBytes, takeBytes } from '../../src/image/byte-pool.ts';

test('memory_that_was_taken_is_not_shared_until_it_is_given_back', () => {
  const taken = Array.from({ length: 20 }, () => takeBytes(1001));
  for (const [index, bytes] of taken.entries()) bytes.fill(index);
  for (const [index, bytes] of taken.entries()) {
    assert.equal(bytes.length, 1001);
    assert.ok(
      bytes.every((value) => value === index),
      `piece ${String(index)}`,
    );
  }
  assert.equal(new Set(taken.map(({ buffer }) => buffer)).size, 20);
});

test('memory_is_taken_again_once_and_for_its_own_length_alone', () => {
  const first = takeBytes(1002);
  giveBytes(first);
  assert.notEqual(takeBytes(1003).buffer, first.buffer);
  assert.notEqual(takeBytes(501).buffer, first.buffer);
  assert.equal(takeBytes(1002).buffer, first.buffer);
  assert.notEqual(takeBytes(1002).buffer, first.buffer);
});

test('memory_that_is_given_twice_is_taken_once', () => {
  const first = takeBytes(1004);
  giveBytes(first);
  giveBytes(first);
  giveBytes(new Uint8Array(first.buffer));
  const taken = [takeBytes(1004), takeBytes(1004), takeBytes(1004)];
  assert.equal(new Set(taken.map(({ buffer }) => buffer)).size, 3);
});

test('a_part_of_larger_memory_shared_memory_and_transferred_memory_are_not_kept', () => {
  const whole = new Uint8Array(3000);
  for (const part of [whole.subarray(0, 1005), whole.subarray(1995), Buffer.from('x'.repeat(1005))]) giveBytes(part);
  const shared = new Uint8Array(new SharedArrayBuffer(1005));
  giveBytes(shared);
  const transferred = takeBytes(1005);
  structuredClone(transferred.buffer, { transfer: [transferred.buffer] });
  giveBytes(transferred);
  const others = [whole.buffer, shared.buffer, transferred.buffer];
  for (let left = 3; left > 0; left -= 1) {
    const bytes = takeBytes(1005);
    assert.equal(bytes.length, 1005);
    assert.ok(!others.includes(bytes.buffer));
  }
  assert.equal(takeBytes(0).length, 0);
});

test('the_pool_keeps_the_latest_pieces_up_to_its_limits', () => {
  const pieces = Array.from({ length: 17 }, () => takeBytes(1006));
  for (const piece of pieces) giveBytes(piece);
  const kept = new Set(pieces.map(() => takeBytes(1006).buffer));
  assert.deepEqual(
    pieces.map(({ buffer }) => kept.has(buffer)),
    [false, ...new Array<boolean>(16).fill(true)],
  );

  const large = [takeBytes(9_000_000), takeBytes(9_000_000)];
  for (const piece of large) giveBytes(piece);
  const again = [takeBytes(9_000_000), takeBytes(9_000_000)].map(({ buffer }) => buffer);
  assert.deepEqual(
    large.map(({ buffer }) => again.includes(buffer)),
    [false, true],
  );

  const huge = takeBytes(16_000_001);
  giveBytes(huge);
  assert.notEqual(takeBytes(16_000_001).buffer, huge.buffer);
});
