import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compressHighlights,
  hybridCurve,
  peakLight,
  quantiserCurve,
  toStandard,
} from '../../src/image/colour/curves.ts';
import { primariesByCode, standardPrimaries, toStandardMatrix, transform } from '../../src/image/colour/primaries.ts';
import { decodeImage } from '../../src/image/decode.ts';
import { readPngHeader } from '../../src/image/header/png.ts';
import { readGreyCurve } from '../../src/image/icc-profile.ts';
import { assertMiddle, type Colour, limits, square, toChunk, toSmallPng } from './fixtures.ts';
import { toCodePointsChunk, toGammaChunk, toNumbersChunk } from './formats/png-writer.ts';
import { toCurveTag, writeProfile } from './profile-writer.ts';

const colour: Colour = [200, 60, 30];

function spoil(chunk: Buffer): Buffer {
  const spoilt = Buffer.from(chunk);
  spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1;
  return spoilt;
}

test('chunks_about_colours_that_do_not_count_leave_the_colours_as_they_are', async () => {
  const palette = toChunk('PLTE', Buffer.alloc(3));
  const ignored: Record<string, Buffer[]> = {
    'gAMA with a wrong checksum': [spoil(toGammaChunk(1))],
    'gAMA behind the palette': [palette, toGammaChunk(1)],
    'gAMA behind another': [toGammaChunk(0.45455), toGammaChunk(1)],
    'gAMA of a wrong length': [toNumbersChunk('gAMA', 100_000, 0)],
    'gAMA that is absurd': [toNumbersChunk('gAMA', 15)],
    'cICP of reserved numbers': [toCodePointsChunk(200, 200)],
    'cICP with a matrix': [toChunk('cICP', Buffer.of(9, 16, 9, 1))],
    'cHRM whose primaries are one point': [toNumbersChunk('cHRM', ...[1, 2, 3, 4].flatMap(() => [31_270, 32_900]))],
  };
  for (const [kind, chunks] of Object.entries(ignored)) {
    assertMiddle(await decodeImage(toSmallPng(colour, chunks), square, limits), colour, 0, kind);
  }
});

test('a_header_that_ends_within_a_chunk_about_colours_is_refused', () => {
  const bytes = toSmallPng(colour, [toGammaChunk(1)]);
  const chunk = bytes.indexOf('gAMA', 0, 'latin1');
  assert.equal(readPngHeader(bytes.subarray(0, chunk + 6))?.gamma, undefined);
  assert.equal(readPngHeader(bytes)?.gamma, 1);
});

test('white_stays_white_and_grey_grey_in_every_space', () => {
  for (const primaries of [standardPrimaries, ...primariesByCode.values()]) {
    const matrix = toStandardMatrix(primaries);
    assert.ok(matrix);
    for (const level of [0.1, 1]) {
      for (const part of transform(matrix, [level, level, level])) assert.ok(Math.abs(part - level) < 1e-6);
    }
  }
});

test('HDR_is_known_by_its_landmarks_and_its_highlights_keep_their_order', () => {
  const isNear = (value: number, wanted: number): boolean => Math.abs(value - wanted) < 0.01 * wanted;
  // ITU-R BT.2408, table 1: 58 % of PQ and 75 % of HLG are diffuse white; 75.2 % of PQ are 1000 cd/m².
  assert.ok(isNear(quantiserCurve(0.5807), 1));
  assert.ok(isNear(quantiserCurve(0.7518), peakLight));
  assert.ok(isNear(peakLight * hybridCurve(0.75) ** 1.2, 1));
  assert.equal(quantiserCurve(0), 0);
  assert.equal(hybridCurve(0), 0);
  let before = -1;
  for (let light = 0; light <= peakLight; light += 0.01) {
    const shown = compressHighlights(light);
    assert.ok(shown > before && shown <= 1, String(light));
    if (light <= 0.75) assert.equal(shown, light);
    before = shown;
  }
  assert.equal(compressHighlights(49), 1);
  assert.equal(Math.round(255 * toStandard(compressHighlights(1))), 240, 'diffuse white');
});

test('curves_of_grey_profiles_are_read_in_each_of_their_forms_and_no_others', () => {
  const read = (space: 'RGB ' | 'GRAY', curve: Buffer): number | undefined =>
    readGreyCurve(writeProfile(space, { kTRC: curve }))?.(0.5);
  const toTag = (name: string, hex: string): Buffer =>
    Buffer.concat([Buffer.from(`${name}\0\0\0\0`, 'latin1'), Buffer.from(hex, 'hex')]);
  const isNear = (value: number | undefined, wanted: number): boolean => Math.abs((value ?? NaN) - wanted) < 1e-3;
  assert.ok(isNear(read('GRAY', toCurveTag(2)), 0.25), 'an exponent');
  assert.ok(isNear(read('GRAY', toTag('curv', '00000000')), 0.5), 'a line');
  assert.ok(isNear(read('GRAY', toTag('curv', '00000003' + '0000' + '1000' + 'ffff')), 0x1000 / 0xffff), 'a table');
  assert.ok(isNear(read('GRAY', toTag('para', '00000000' + '00020000')), 0.25), 'a power');
  const parts = '00020000' + '00010000' + '00000000' + '00008000' + '00010000';
  assert.ok(isNear(read('GRAY', toTag('para', `00030000${parts}`)), 0.25), 'a line below its limit');
  assert.equal(read('RGB ', toCurveTag(2)), undefined, 'of other colours');
  assert.equal(read('GRAY', toTag('para', '00090000')), undefined, 'of an unknown form');
  assert.equal(read('GRAY', toTag('curv', '0000ffff')), undefined, 'beyond the end');
  assert.equal(readGreyCurve(Buffer.alloc(20)), undefined, 'not a profile');
});
