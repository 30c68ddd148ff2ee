import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sharp } from 'sharp';
import { decodeImage } from '../../src/image/decode.ts';
import { measureImage } from '../../src/image/header.ts';
import { toPlainDecode } from '../../src/image/native-jpeg.ts';
import type { RasterShape } from '../../src/image/types.ts';
import { assertRejects, drawNoise, drawPixels, limits, resizeModes } from './fixtures.ts';
import { hasNativeJpeg } from './native-library.ts';

/** Hills with an edge: every frequency that a resize has to keep, and some that it must not. */
function drawHills(width: number, height: number): Sharp {
  return drawPixels(width, height, (x, y) => {
    const hills = 100 + 60 * Math.sin((x * x) / 900) + 60 * Math.cos((x * y) / 2000);
    return [hills, x > width / 2 ? 230 : 255 - hills, (y * 255) / height];
  });
}

interface Case {
  readonly about: string;
  readonly bytes: Buffer;
  readonly shape: RasterShape;
}

async function makeCases(): Promise<Case[]> {
  const cases: Case[] = [];
  const add = async (about: string, picture: Sharp, shape: RasterShape): Promise<void> => {
    cases.push({ about, bytes: await picture.jpeg({ quality: 90 }).toBuffer(), shape });
  };
  // Odd sizes lose a part of their last column when the DCT reduces them; the shrinks are 1, 1.5, 2, 3.4, 7 and 17.
  for (const [width, height] of [
    [112, 96],
    [169, 145],
    [224, 193],
    [381, 329],
    [785, 673],
    [1905, 1633],
  ] as const) {
    for (const resize of resizeModes) {
      const about = `${String(width)} × ${String(height)}, ${resize}`;
      await add(about, drawHills(width, height), { width: 112, height: 96, resize });
    }
  }
  for (const resize of resizeModes) {
    const shape: RasterShape = { width: 80, height: 60, resize };
    for (let orientation = 1; orientation <= 8; orientation += 1) {
      await add(
        `orientation ${String(orientation)}, ${resize}`,
        drawHills(301, 211).withMetadata({ orientation }),
        shape,
      );
      await add(
        `tall, orientation ${String(orientation)}, ${resize}`,
        drawHills(160, 301).withMetadata({ orientation }),
        shape,
      );
    }
    await add(`grey, ${resize}`, drawHills(301, 211).greyscale(), shape);
  }
  return cases;
}

function compare(one: Uint8Array, other: Uint8Array): { largest: number; mean: number } {
  assert.equal(one.length, other.length);
  const differences = one.map((value, at) => Math.abs(value - (other[at] ?? 0)));
  return { largest: Math.max(...differences), mean: differences.reduce((sum, value) => sum + value, 0) / one.length };
}

test('the_pixels_are_those_of_sharp_within_a_rounding_in_every_mode_orientation_and_shrink', async (context) => {
  const cases = await makeCases();
  const bySharp = await Promise.all(cases.map(({ bytes, shape }) => decodeImage(bytes, shape, limits)));
  if (!hasNativeJpeg(context)) return;
  for (const [index, { about, bytes, shape }] of cases.entries()) {
    const measured = await measureImage(bytes, limits);
    const native = await toPlainDecode(measured, shape)?.();
    const expected = bySharp[index];
    assert.ok(native && expected, `${about} is not decoded natively`);
    const { largest, mean } = compare(native, expected);
    assert.ok(largest <= 6 && mean < 0.6, `${about}: ${String(largest)} at most, ${mean.toFixed(2)} on average`);
  }
});

test('what_would_be_enlarged_or_shows_a_part_only_is_left_to_sharp', async (context) => {
  if (!hasNativeJpeg(context)) return;
  const enlarged = await measureImage(await drawNoise(30, 30).jpeg().toBuffer(), limits);
  assert.equal(toPlainDecode(enlarged, { width: 32, height: 32, resize: 'stretch' }), undefined);
  const extreme = await measureImage(await drawNoise(40, 4000).jpeg().toBuffer(), limits);
  assert.equal(toPlainDecode(extreme, { width: 32, height: 32, resize: 'cover' }), undefined);
  const flat = await measureImage(await drawNoise(6000, 3).jpeg().toBuffer(), limits);
  assert.equal(toPlainDecode(flat, { width: 32, height: 32, resize: 'contain' }), undefined);
});

test('what_libjpeg_remarks_upon_is_given_back_for_sharp_to_judge', async (context) => {
  if (!hasNativeJpeg(context)) return;
  const shape: RasterShape = { width: 64, height: 64, resize: 'cover' };
  const bytes = await drawNoise(160, 120).jpeg().toBuffer();
  const scan = bytes.indexOf(Buffer.of(0xff, 0xda)) + 14;
  const garbled = Buffer.from(bytes);
  garbled.fill(0xaa, scan + 200, scan + 900);
  const holed = Buffer.concat([bytes.subarray(0, scan + 200), bytes.subarray(-2)]);
  for (const [kind, damaged] of Object.entries({ garbled, holed })) {
    const decode = toPlainDecode(await measureImage(damaged, limits), shape);
    assert.ok(decode, kind);
    assert.equal(await decode(), undefined, kind);
    await assertRejects(decodeImage(damaged, shape, limits), 'ERR_IMAGE_CORRUPT', kind);
  }
});

test('a_picture_with_too_many_pixels_is_refused_by_its_header_alone', async () => {
  const bytes = await drawNoise(100, 100).jpeg().toBuffer();
  await assertRejects(measureImage(bytes, { ...limits, maxPixels: 9999 }), 'ERR_IMAGE_TOO_MANY_PIXELS');
});
