import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createByteBudget } from '../../src/http/upload/byte-budget.ts';
import { createByteCollector } from '../../src/http/upload/byte-collector.ts';

test('permits are given up to the budget and not beyond', () => {
  const budget = createByteBudget(100);
  budget.acquire(60);
  budget.acquire(40);
  assert.throws(() => budget.acquire(1), { code: 'ERR_OVERLOADED', retryAfterSeconds: 1 });
});

test('a refused permit holds nothing, and a release that is called twice counts once', () => {
  const budget = createByteBudget(100);
  const release = budget.acquire(60);
  assert.throws(() => budget.acquire(41));
  budget.acquire(40);
  release();
  release();
  budget.acquire(60);
  assert.throws(() => budget.acquire(1));
});

test('a collector gives back what it was given, beyond what it expected and for nothing at all', () => {
  const collector = createByteCollector(2);
  assert.equal(collector.toBytes().length, 0);
  for (let byte = 0; byte < 1000; byte += 1) collector.append(Uint8Array.of(byte & 255));
  collector.append(Buffer.alloc(5000, 7));
  const bytes = collector.toBytes();
  assert.equal(bytes.length, 6000);
  assert.deepEqual([bytes[0], bytes[255], bytes[256], bytes[999], bytes[5999]], [0, 255, 0, 231, 7]);
});

test('a million one-byte pieces take little more memory than their bytes', () => {
  const before = process.memoryUsage();
  const collector = createByteCollector(16);
  for (let count = 0; count < 1_000_000; count += 1) collector.append(Uint8Array.of(1));
  const after = process.memoryUsage();
  assert.equal(collector.toBytes().length, 1_000_000);
  assert.ok(collector.toBytes().buffer.byteLength < 3_000_000);
  assert.ok(after.arrayBuffers - before.arrayBuffers < 50_000_000);
});
