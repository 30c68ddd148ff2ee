import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { noDeadline } from '../../src/deadline.ts';
import { decodeImage, decodeMeasured } from '../../src/image/decode.ts';
import { inspectImage, measureImage } from '../../src/image/header.ts';
import type { RasterShape } from '../../src/image/types.ts';
import {
  assertColour,
  assertRejects,
  type Colour,
  drawPlain,
  limits,
  pixelAt,
  toChunk,
  toSmallPng,
} from './fixtures.ts';
import { coded, toExtents, toMirror, toProfile, toTurn, writeGrid, writeHeic } from './heic-files.ts';
import { quarters } from './tiff-files.ts';

/** The decoder of a busy machine may take a second to start. */
const on = { ...limits, heic: true, decodeTimeoutMs: 60_000 };
const shape: RasterShape = { width: 64, height: 64, resize: 'stretch' };

async function assertSeen(bytes: Buffer, colours: readonly (Colour | undefined)[], about: string, within = 4) {
  const raster = await decodeImage(bytes, shape, on);
  for (const [index, colour] of colours.entries()) {
    const pixel = pixelAt(raster, 64, index % 2 === 0 ? 16 : 48, index < 2 ? 16 : 48);
    assertColour(pixel, colour ?? [0, 0, 0], within, `${about}, quarter ${String(index)}`);
  }
}

test('HEIC_is_refused_by_name_unless_it_is_switched_on', async () => {
  const { detail } = await assertRejects(decodeImage(writeHeic(), shape, limits), 'ERR_IMAGE_UNSUPPORTED');
  assert.equal(detail, 'HEIC is not accepted: ask the client for JPEG');
});

test('a_HEIC_has_the_colours_that_went_in_without_the_rows_that_only_pad_it', async () => {
  const bytes = writeHeic();
  assert.deepEqual(await inspectImage(bytes, on), { format: 'heic', width: 64, height: 48, bytes: bytes.length });
  await assertSeen(bytes, quarters, 'heic');
});

test('a_HEIC_is_turned_and_mirrored_once_as_its_properties_say_in_their_order', async () => {
  const turned: readonly (readonly [properties: readonly Buffer[], width: number, order: readonly number[]])[] = [
    [[toTurn(1)], 48, [1, 3, 0, 2]],
    [[toTurn(2)], 64, [3, 2, 1, 0]],
    [[toTurn(3)], 48, [2, 0, 3, 1]],
    [[toMirror(1)], 64, [1, 0, 3, 2]],
    [[toMirror(0)], 64, [2, 3, 0, 1]],
    [[toTurn(1), toMirror(1)], 48, [3, 1, 2, 0]],
    [[toMirror(1), toTurn(1)], 48, [0, 2, 1, 3]],
  ];
  for (const [index, [properties, width, order]] of turned.entries()) {
    const bytes = writeHeic(properties);
    assert.equal((await inspectImage(bytes, on)).width, width);
    await assertSeen(
      bytes,
      order.map((at) => quarters[at]),
      `properties ${String(index)}`,
    );
  }
});

test('a_HEIC_that_is_put_together_from_tiles_is_decoded_whole', async () => {
  const bytes = writeGrid(2);
  const { width, height } = await inspectImage(bytes, on);
  assert.deepEqual([width, height], [128, 64]);
  const raster = await decodeImage(bytes, shape, on);
  assertColour(pixelAt(raster, 64, 8, 8), quarters[0] ?? [0, 0, 0], 4, 'first tile');
  assertColour(pixelAt(raster, 64, 56, 8), quarters[1] ?? [0, 0, 0], 4, 'second tile');
});

test('the_profile_of_a_HEIC_is_applied', async () => {
  const { icc } = await sharp(await drawPlain([0, 0, 0]).withIccProfile('p3').png().toBuffer()).metadata();
  assert.ok(icc);
  const chunk = toChunk('iCCP', Buffer.concat([Buffer.from('p3\0\0', 'latin1'), deflateSync(icc)]));
  const expected = await Promise.all(
    quarters.map(async (stored): Promise<Colour> => {
      const raster = await decodeImage(toSmallPng(stored, [chunk]), shape, limits);
      return [raster[0] ?? 0, raster[1] ?? 0, raster[2] ?? 0];
    }),
  );
  assert.notDeepEqual(expected, quarters);
  await assertSeen(writeHeic([toProfile(icc)]), expected, 'Display P3');
});

test('a_HEIC_that_is_damaged_cut_off_or_of_another_size_than_it_says_is_corrupt', async () => {
  const whole = writeHeic();
  const files: Readonly<Record<string, Buffer>> = {
    damaged: writeHeic([], Buffer.alloc(coded.length)),
    cut: whole.subarray(0, -150),
    header: whole.subarray(0, 60),
    lie: writeHeic([toTurn(0)], coded, toExtents(640, 640)),
    sequence: Buffer.concat([whole.subarray(0, 28), Buffer.from('\0\0\0\x08moov', 'latin1')]),
  };
  for (const [name, bytes] of Object.entries(files)) {
    await assertRejects(decodeImage(bytes, shape, on), 'ERR_IMAGE_CORRUPT', name);
  }
});

test('a_HEIC_is_held_against_the_limits_by_its_header', async () => {
  const large = writeHeic([], coded, toExtents(20_000, 20_000)).subarray(0, 420);
  // Without the property that cuts it, which says 64 × 48.
  large.write('free', large.indexOf('clap'), 'latin1');
  await assertRejects(measureImage(large, on), 'ERR_IMAGE_TOO_MANY_PIXELS');
  const tiles = { ...on, maxPixels: 128 * 64 };
  assert.ok((await measureImage(writeGrid(2), tiles)).heic);
  await assertRejects(measureImage(writeHeic([], coded, toExtents(640, 640)), tiles), 'ERR_IMAGE_TOO_COSTLY');
  await assertRejects(measureImage(writeHeic(), { ...on, maxDecodeBytes: 2 ** 24 }), 'ERR_IMAGE_TOO_COSTLY');
});

test('a_HEIC_that_takes_too_long_or_whose_caller_is_gone_is_given_up', async () => {
  const bytes = writeHeic();
  const image = await measureImage(bytes, on);
  const hasty = { ...on, decodeTimeoutMs: 1 };
  await assertRejects(decodeMeasured(image, shape, hasty, noDeadline), 'ERR_DECODE_TIMEOUT');
  const controller = new AbortController();
  const decoding = decodeMeasured(image, shape, on, { ...noDeadline, signal: controller.signal });
  controller.abort();
  await assertRejects(decoding, 'ERR_DEADLINE');
  await assertSeen(bytes, quarters, 'the next one');
});
