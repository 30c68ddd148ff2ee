import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noDeadline } from '../../src/deadline.ts';
import { createDecodeGate, type DecodeWork } from '../../src/image/decode-gate.ts';
import { createDecode, settleAll } from './controlled-decode.ts';
import { limits } from './fixtures.ts';

const small: DecodeWork = { isPlain: false, pixels: 1_000_000, library: 'libvips' };
const large: DecodeWork = { ...small, pixels: 40_000_000 };
const plain: DecodeWork = { ...small, isPlain: true, library: 'libjpeg' };

test('while_a_picture_is_decoded_alone_the_lane_of_plain_JPEGs_is_closed_to_libvips_whose_messages_would_mix', async () => {
  const gate = createDecodeGate();
  const [alone, byLibvips, byLibjpeg] = [createDecode(), createDecode(), createDecode()];
  const results = [
    gate.run(large, limits, noDeadline, alone.decode),
    gate.run({ ...plain, library: 'libvips' }, limits, noDeadline, byLibvips.decode),
    gate.run(plain, limits, noDeadline, byLibjpeg.decode),
  ];
  await settleAll();
  assert.deepEqual([byLibvips.hasStarted(), byLibjpeg.hasStarted()], [false, true]);
  alone.finish();
  byLibjpeg.finish();
  await settleAll();
  assert.equal(byLibvips.hasStarted(), true);
  byLibvips.finish();
  await Promise.all(results);
});

test('a_turn_knows_whether_libvips_worked_on_anything_else_meanwhile_be_it_the_same_picture', async () => {
  const gate = createDecodeGate();
  const watch = { ...noDeadline, imageHash: 'the same' };
  let isAlone: (() => boolean) | undefined;
  const [first, second] = [createDecode(), createDecode()];
  const running = gate.run(small, limits, watch, (turn) => {
    isAlone = turn.watchCompany();
    return first.decode();
  });
  await settleAll();
  assert.equal(isAlone?.(), true);
  const beside = gate.run(small, limits, watch, second.decode);
  await settleAll();
  assert.equal(isAlone(), false);
  first.finish();
  second.finish();
  await Promise.all([running, beside]);
});
