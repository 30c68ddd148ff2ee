import assert from 'node:assert/strict';
import { pbkdf2 } from 'node:crypto';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createDecodeGate, type DecodeTurn, type DecodeWork } from '../../src/image/decode-gate.ts';
import type { DecodeBudget, DecodeLimits, DecodeWatch } from '../../src/image/types.ts';
import { noDeadline, type Deadline } from '../../src/deadline.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { createDecode, settleAll } from './controlled-decode.ts';
import { assertRejects, limits } from './fixtures.ts';

const small: DecodeWork = { isPlain: false, pixels: 1_000_000, library: 'libvips' };
const large: DecodeWork = { ...small, pixels: 40_000_000 };
const plain: DecodeWork = { ...small, isPlain: true, library: 'libjpeg' };
const hasty: DecodeLimits = { ...limits, decodeTimeoutMs: 20 };

/** Somebody who waits for a moment only. */
function untilSoon(): Deadline {
  return { ...noDeadline, deadlineAt: performance.now() + 20 };
}

test('two ordinary pictures are decoded at a time, in the order they came', async () => {
  const gate = createDecodeGate();
  const decodes = Array.from({ length: 4 }, createDecode);
  const results = decodes.map(({ decode }) => gate.run(small, limits, noDeadline, decode));
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
    gate.run(small, limits, noDeadline, first.decode),
    gate.run(large, limits, noDeadline, second.decode),
    gate.run(small, limits, noDeadline, third.decode),
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
    const running = gate.run(large, limits, noDeadline, decode);
    finish(new Error('broken'));
    await assert.rejects(running, /broken/);
  }
});

test('a decode that runs out of time is answered, and the next has its place', async () => {
  const gate = createDecodeGate();
  const stuck = createDecode();
  const { detail } = await assertRejects(gate.run(large, hasty, noDeadline, stuck.decode), 'ERR_DECODE_TIMEOUT');
  assert.match(detail, /within 20 ms/);
  const next = createDecode();
  next.finish();
  assert.equal(await gate.run(large, limits, noDeadline, next.decode), 'raster');
  stuck.finish();
});

test('decodes that do not come back hold one thread beside their places, and plain JPEGs pass', async () => {
  const gate = createDecodeGate();
  const stuck = Array.from({ length: 3 }, createDecode);
  const results = stuck.map(({ decode }) => gate.run(small, hasty, noDeadline, decode));
  await Promise.all(results.map((result) => assertRejects(result, 'ERR_DECODE_TIMEOUT')));
  const next = createDecode();
  await assertRejects(gate.run(small, limits, untilSoon(), next.decode), 'ERR_DEADLINE');
  assert.equal(next.hasStarted(), false);
  const [first, second] = [createDecode(), createDecode()];
  const passing = [first, second].map(({ decode }) => gate.run(plain, limits, noDeadline, decode));
  await settleAll();
  assert.deepEqual([first.hasStarted(), second.hasStarted()], [true, false], 'one at a time');
  for (const { finish } of [first, second]) finish();
  assert.deepEqual(await Promise.all(passing), ['raster', 'raster']);
  stuck[0]?.finish();
  await settleAll();
  const last = createDecode();
  last.finish();
  assert.equal(await gate.run(small, limits, noDeadline, last.decode), 'raster');
  for (const { finish } of stuck) finish();
});

test('a plain JPEG passes a large picture and those that wait for it', async () => {
  const gate = createDecodeGate();
  const [atWork, waiting, passing] = [createDecode(), createDecode(), createDecode()];
  const order: string[] = [];
  const results = [
    gate.run(large, limits, noDeadline, atWork.decode),
    gate.run(large, limits, noDeadline, waiting.decode).then(() => order.push('waiting')),
    gate.run(plain, limits, noDeadline, passing.decode).then(() => order.push('passing')),
  ];
  for (const { finish } of [passing, waiting]) finish();
  await settleAll();
  assert.deepEqual(order, ['passing']);
  atWork.finish();
  await Promise.all(results);
  assert.deepEqual(order, ['passing', 'waiting']);
});

test('all turns of a picture share one budget, which waiting does not use up', async () => {
  const gate = createDecodeGate();
  const budget: DecodeBudget = { leftMs: 100 };
  const watch: DecodeWatch = { ...noDeadline, budget };
  const readLeftMs = (): number => budget.leftMs;
  const first = createDecode();
  const blocker = createDecode();
  const blocking = gate.run(large, limits, noDeadline, blocker.decode);
  const running = gate.run(small, limits, watch, first.decode);
  const startedAt = performance.now();
  await waitFor(() => performance.now() - startedAt > 200);
  assert.equal(readLeftMs(), 100);
  blocker.finish();
  await blocking;
  const begunAt = performance.now();
  await waitFor(() => performance.now() - begunAt > 20);
  first.finish();
  assert.equal(await running, 'raster');
  assert.ok(readLeftMs() < 90, String(readLeftMs()));
  const late = createDecode();
  await assertRejects(gate.run(small, limits, watch, late.decode), 'ERR_DECODE_TIMEOUT');
  assert.equal(late.hasStarted(), true);
  const never = createDecode();
  late.finish();
  await settleAll();
  await assertRejects(gate.run(small, limits, watch, never.decode), 'ERR_DECODE_TIMEOUT');
  assert.equal(never.hasStarted(), false);
});

test('a decode that a busy machine holds up until the deadline has run out of time', async () => {
  const gate = createDecodeGate();
  const slow = createDecode();
  const startedAt = performance.now();
  const waiting = { ...noDeadline, deadlineAt: startedAt + 200 };
  const running = gate.run(small, { ...limits, decodeTimeoutMs: 200 }, waiting, slow.decode);
  const rejection = assertRejects(running, 'ERR_DECODE_TIMEOUT');
  // Time in which this process does not run leaves the budget as it is.
  while (performance.now() - startedAt < 300);
  await rejection;
  slow.finish();
});

test('no native call follows once the budget of a picture is used up', async () => {
  const gate = createDecodeGate();
  const first = createDecode();
  let followed = 0;
  const run = async (turn: DecodeTurn): Promise<void> => {
    await first.decode();
    turn.assertWanted();
    followed += 1;
  };
  await assertRejects(gate.run(small, hasty, noDeadline, run), 'ERR_DECODE_TIMEOUT');
  first.finish();
  await settleAll();
  assert.equal(followed, 0);
});

test('a picture is reported as too slow only where libvips worked on no other', async () => {
  const gate = createDecodeGate();
  const blamed: string[] = [];
  const toWatch = (imageHash: string) => ({ ...noDeadline, imageHash, onTooSlow: () => blamed.push(imageHash) });
  const decodes = Array.from({ length: 6 }, createDecode);
  const run = (index: number, work: DecodeWork, imageHash: string) =>
    gate.run(work, hasty, toWatch(imageHash), decodes[index]?.decode ?? (() => Promise.resolve('')));
  await Promise.allSettled([run(0, small, 'a'), run(1, small, 'b')]);
  assert.deepEqual(blamed, [], 'two at a time');
  for (const { finish } of decodes.slice(0, 2)) finish();
  await settleAll();
  await Promise.allSettled([run(2, small, 'c'), run(3, plain, 'd')]);
  assert.deepEqual(blamed, ['c'], 'a plain JPEG does not count');
  await Promise.allSettled([run(4, small, 'c')]);
  assert.deepEqual(blamed, ['c', 'c'], 'nor does the same picture, still at work');
  for (const { finish } of decodes) finish();
});

test('one that waited in vain lets a smaller one behind it pass', async () => {
  const gate = createDecodeGate();
  const stuck = createDecode();
  const running = gate.run(small, limits, noDeadline, stuck.decode);
  const tooLarge = gate.run(large, limits, untilSoon(), createDecode().decode);
  const behind = createDecode();
  behind.finish();
  const passed = gate.run(small, limits, noDeadline, behind.decode);
  await assertRejects(tooLarge, 'ERR_DEADLINE');
  assert.equal(await passed, 'raster');
  stuck.finish();
  await running;
});

test('what nobody waits for any more is never decoded', async () => {
  const gate = createDecodeGate();
  const first = createDecode();
  const running = gate.run(large, limits, noDeadline, first.decode);
  const client = new AbortController();
  const [abandoned, expired] = [createDecode(), createDecode()];
  const gone = gate.run(small, limits, { ...noDeadline, signal: client.signal }, abandoned.decode);
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
  const waiting = gate.run(small, limits, noDeadline, next.decode);
  await settleAll();
  assert.equal(next.hasStarted(), false);
  slow.finish();
  assert.equal(await waiting, 'raster');
});

test('a decode that does not come back long after its time is told, one that does is not', async () => {
  const gate = createDecodeGate();
  const told: string[] = [];
  const toWatch = (name: string) => ({ ...noDeadline, onHung: () => told.push(name) });
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

test('overdue work that uses its CPU is not told as hung', { skip: process.platform !== 'linux' }, async () => {
  const gate = createDecodeGate();
  let hung = 0;
  const watch = { ...noDeadline, onHung: () => (hung += 1) };
  const hash = promisify(pbkdf2);
  // On a thread of libuv's pool, like a decode, for several times as long as idle work would be left alone.
  const working = hash('secret', 'salt', 1_200_000, 64, 'sha512');
  await assertRejects(
    gate.run(small, { ...limits, decodeTimeoutMs: 200 }, watch, () => working),
    'ERR_DECODE_TIMEOUT',
  );
  await working;
  assert.equal(hung, 0);
});
