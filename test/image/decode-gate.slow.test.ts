import assert from 'node:assert/strict';
import { pbkdf2 } from 'node:crypto';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type Deadline, noDeadline } from '../../src/deadline.ts';
import { createDecodeGate, type DecodeTurn, type DecodeWork } from '../../src/image/decode-gate.ts';
import type { DecodeBudget, DecodeLimits, DecodeWatch } from '../../src/image/types.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { createDecode, settleAll } from './controlled-decode.ts';
import { assertRejects, limits } from './fixtures.ts';

const small: DecodeWork = { isPlain: false, pixels: 1_000_000, library: 'libvips' };
const large: DecodeWork = { ...small, pixels: 40_000_000 };
const plain: DecodeWork = { ...small, isPlain: true, library: 'libjpeg' };
const hasty: DecodeLimits = { ...limits, decodeTimeoutMs: 20 };

/** A caller with a short deadline. */
function untilSoon(): Deadline {
  return { ...noDeadline, deadlineAt: performance.now() + 20 };
}

test('two_ordinary_pictures_are_decoded_at_a_time_in_the_order_they_came', async () => {
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

test('a_picture_over_half_of_the_pixels_is_decoded_alone', async () => {
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

test('a_decode_that_fails_makes_room_for_the_next', async () => {
  const gate = createDecodeGate();
  for (let round = 0; round < 5; round += 1) {
    const { decode, finish } = createDecode();
    const running = gate.run(large, limits, noDeadline, decode);
    finish(new Error('broken'));
    await assert.rejects(running, /broken/);
  }
});

test('a_decode_that_runs_out_of_time_is_answered_and_the_next_has_its_place', async () => {
  const gate = createDecodeGate();
  const stuck = createDecode();
  const { detail } = await assertRejects(gate.run(large, hasty, noDeadline, stuck.decode), 'ERR_DECODE_TIMEOUT');
  assert.match(detail, /within 20 ms/);
  const next = createDecode();
  next.finish();
  assert.equal(await gate.run(large, limits, noDeadline, next.decode), 'raster');
  stuck.finish();
});

test('decodes_that_do_not_come_back_hold_one_thread_beside_their_places_and_plain_JPEGs_pass', async () => {
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

test('a_plain_JPEG_passes_a_large_picture_and_those_that_wait_for_it', async () => {
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

test('all_turns_of_a_picture_share_one_budget_which_waiting_does_not_use_up', async () => {
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

test('a_decode_that_a_busy_machine_holds_up_until_the_deadline_has_run_out_of_time', async () => {
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

test('no_native_call_follows_once_the_budget_of_a_picture_is_used_up', async () => {
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

test('a_picture_is_reported_as_too_slow_only_where_libvips_worked_on_no_other', async () => {
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

test('one_that_waited_in_vain_lets_a_smaller_one_behind_it_pass', async () => {
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

test('a_picture_whose_caller_is_gone_is_never_decoded', async () => {
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

test('a_deadline_that_passes_during_a_decode_is_answered_at_once_and_the_place_stays_taken', async () => {
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

test('a_decode_that_does_not_come_back_long_after_its_time_is_told_one_that_does_is_not', async () => {
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

test('overdue_work_that_uses_its_CPU_is_not_told_as_hung', { skip: process.platform !== 'linux' }, async () => {
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
