import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecodeGate, type DecodeWork } from '../../src/image/decode-gate.ts';
import { noDeadline } from '../../src/deadline.ts';
import { createDecode, settleAll } from './controlled-decode.ts';
import { limits } from './fixtures.ts';

const small: DecodeWork = { isPlain: false, pixels: 1_000_000, library: 'libvips' };
const large: DecodeWork = { ...small, pixels: 40_000_000 };
const plain: DecodeWork = { ...small, isPlain: true, library: 'libjpeg' };

test('while a picture is decoded alone the lane of plain JPEGs is closed to libvips, whose messages would mix', async () => {
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

test('a turn knows whether libvips worked on anything else meanwhile, be it the same picture', async () => {
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
