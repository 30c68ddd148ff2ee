import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecodeGate } from '../../src/image/decode-gate.ts';
import type { DecodeLimits } from '../../src/image/types.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type Waiting, waitForEver } from '../../src/waiting.ts';
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

/** Somebody who waits for a moment only. */
function untilSoon(): Waiting {
  return { ...waitForEver, deadlineAt: performance.now() + 20 };
}

/** Lets everything that is due happen. */
function settleAll(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('two ordinary pictures are decoded at a time, in the order they came', async () => {
  const gate = createDecodeGate();
  const decodes = Array.from({ length: 4 }, createDecode);
  const results = decodes.map(({ decode }) => gate.run(small, limits, waitForEver, decode));
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
    gate.run(small, limits, waitForEver, first.decode),
    gate.run(large, limits, waitForEver, second.decode),
    gate.run(small, limits, waitForEver, third.decode),
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
    const running = gate.run(large, limits, waitForEver, decode);
    finish(new Error('broken'));
    await assert.rejects(running, /broken/);
  }
});

test('a decode that never comes back is answered, and keeps its place', async () => {
  const gate = createDecodeGate();
  const stuck = createDecode();
  const { detail } = await assertRejects(gate.run(large, hasty, waitForEver, stuck.decode), 'ERR_IMAGE_CORRUPT');
  assert.match(detail, /within 20 ms/);
  const next = createDecode();
  await assertRejects(gate.run(small, limits, untilSoon(), next.decode), 'ERR_DEADLINE');
  assert.equal(next.hasStarted(), false);
  stuck.finish();
  await settleAll();
  const last = createDecode();
  last.finish();
  assert.equal(await gate.run(large, limits, waitForEver, last.decode), 'raster');
});

test('one that waited in vain lets a smaller one behind it pass', async () => {
  const gate = createDecodeGate();
  const stuck = createDecode();
  const running = gate.run(small, limits, waitForEver, stuck.decode);
  const tooLarge = gate.run(large, limits, untilSoon(), createDecode().decode);
  const behind = createDecode();
  behind.finish();
  const passed = gate.run(small, limits, waitForEver, behind.decode);
  await assertRejects(tooLarge, 'ERR_DEADLINE');
  assert.equal(await passed, 'raster');
  stuck.finish();
  await running;
});

test('what nobody waits for any more is never decoded', async () => {
  const gate = createDecodeGate();
  const first = createDecode();
  const running = gate.run(large, limits, waitForEver, first.decode);
  const client = new AbortController();
  const [abandoned, expired] = [createDecode(), createDecode()];
  const gone = gate.run(small, limits, { ...waitForEver, signal: client.signal }, abandoned.decode);
  const late = gate.run(small, limits, untilSoon(), expired.decode);
  client.abort();
  await assertRejects(gone, 'ERR_DEADLINE');
  await assertRejects(late, 'ERR_DEADLINE');
  first.finish();
  await running;
  await settleAll();
  assert.deepEqual([abandoned.hasStarted(), expired.hasStarted()], [false, false]);
});

test('a deadline that passes during a decode is answered at once, and the place stays taken', async () => {
  const gate = createDecodeGate();
  const slow = createDecode();
  await assertRejects(gate.run(large, limits, untilSoon(), slow.decode), 'ERR_DEADLINE');
  const next = createDecode();
  next.finish();
  const waiting = gate.run(small, limits, waitForEver, next.decode);
  await settleAll();
  assert.equal(next.hasStarted(), false);
  slow.finish();
  assert.equal(await waiting, 'raster');
});

test('a decode that does not come back long after its time is told, one that does is not', async () => {
  const gate = createDecodeGate();
  const told: string[] = [];
  const toWatch = (name: string) => ({ ...waitForEver, onHung: () => told.push(name) });
  const [hung, late] = [createDecode(), createDecode()];
  const results = [
    gate.run(small, hasty, toWatch('hung'), hung.decode),
    gate.run(small, hasty, toWatch('late'), late.decode).finally(() => {
      late.finish();
    }),
  ];
  await Promise.allSettled(results);
  await waitFor(() => told.length > 0);
  assert.deepEqual(told, ['hung']);
  hung.finish();
});
