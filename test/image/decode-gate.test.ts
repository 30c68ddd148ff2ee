import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecodeGate } from '../../src/image/decode-gate.ts';
import type { DecodeLimits } from '../../src/image/types.ts';
import { assertRejects, limits } from './fixtures.ts';

const small = 1_000_000;
const large = 40_000_000;
const hasty: DecodeLimits = { ...limits, decodeTimeoutMs: 20 };

/** A decode that ends when the test wants it to. */
function createDecode(): {
  decode: () => Promise<string>;
  hasStarted: () => boolean;
  finish: (thrown?: Error) => void;
} {
  let started = false;
  let settle: (thrown?: Error) => void = () => undefined;
  const ending = new Promise<string>((resolve, reject) => {
    settle = (thrown) => {
      if (thrown) reject(thrown);
      else resolve('raster');
    };
  });
  const decode = (): Promise<string> => {
    started = true;
    return ending;
  };
  return {
    decode,
    hasStarted: () => started,
    finish: (thrown) => {
      settle(thrown);
    },
  };
}

/** Lets everything that is due happen. */
function settleAll(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('two ordinary pictures are decoded at a time, in the order they came', async () => {
  const gate = createDecodeGate();
  const decodes = Array.from({ length: 4 }, createDecode);
  const results = decodes.map(({ decode }) => gate.run(small, limits, decode));
  const listStarted = (): boolean[] => decodes.map(({ hasStarted }) => hasStarted());
  await settleAll();
  assert.deepEqual(listStarted(), [true, true, false, false]);
  decodes[1]?.finish();
  await settleAll();
  assert.deepEqual(listStarted(), [true, true, true, false]);
  for (const { finish } of decodes) finish();
  assert.deepEqual(await Promise.all(results), Array(4).fill('raster'));
});

test('a picture over half of the pixels is decoded alone', async () => {
  const gate = createDecodeGate();
  const [first, second, third] = [createDecode(), createDecode(), createDecode()];
  const results = [
    gate.run(small, limits, first.decode),
    gate.run(large, limits, second.decode),
    gate.run(small, limits, third.decode),
  ];
  await settleAll();
  assert.deepEqual([second.hasStarted(), third.hasStarted()], [false, false]);
  first.finish();
  await settleAll();
  assert.deepEqual([second.hasStarted(), third.hasStarted()], [true, false]);
  second.finish();
  third.finish();
  await Promise.all(results);
});

test('a decode that fails makes room for the next', async () => {
  const gate = createDecodeGate();
  for (let round = 0; round < 5; round += 1) {
    const { decode, finish } = createDecode();
    const running = gate.run(large, limits, decode);
    finish(new Error('broken'));
    await assert.rejects(running, /broken/);
  }
});

test('a decode that never comes back is answered, and keeps its place', async () => {
  const gate = createDecodeGate();
  const stuck = createDecode();
  const { detail } = await assertRejects(gate.run(large, hasty, stuck.decode), 'ERR_IMAGE_CORRUPT');
  assert.match(detail, /within 20 ms/);
  const next = createDecode();
  const error = await assertRejects(gate.run(small, hasty, next.decode), 'ERR_OVERLOADED');
  assert.equal(error.retryAfterSeconds, 1);
  assert.equal(next.hasStarted(), false);
  stuck.finish();
  await settleAll();
  const last = createDecode();
  last.finish();
  assert.equal(await gate.run(large, limits, last.decode), 'raster');
});

test('one that waited in vain lets a smaller one behind it pass', async () => {
  const gate = createDecodeGate();
  const stuck = createDecode();
  const running = gate.run(small, limits, stuck.decode);
  const tooLarge = gate.run(large, hasty, createDecode().decode);
  const behind = createDecode();
  behind.finish();
  const passed = gate.run(small, limits, behind.decode);
  await assertRejects(tooLarge, 'ERR_OVERLOADED');
  assert.equal(await passed, 'raster');
  stuck.finish();
  await running;
});
