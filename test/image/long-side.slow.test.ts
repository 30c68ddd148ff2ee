import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.ts';
import { toLongSidePlacement } from '../../src/image/framing.ts';
import type { RasterShape, Size } from '../../src/image/types.ts';
import {
  assertColour,
  blue,
  type Colour,
  drawNoise,
  drawPixels,
  drawQuarters,
  green,
  limits,
  pixelAt,
  red,
  toNoise,
  white,
} from './fixtures.ts';
import { mirrorPixels, seen, turnClockwise } from './long-side.ts';

const landscape: RasterShape = { width: 64, height: 48, resize: 'long-side' };
const portrait: RasterShape = { width: 48, height: 64, resize: 'long-side' };
const even: RasterShape = { width: 50, height: 50, resize: 'long-side' };
const shapes = { landscape, portrait, even };

function assertSame(raster: Uint8Array, expected: Uint8Array, tolerance: number, about: string): void {
  assert.equal(raster.length, expected.length, about);
  const worst = raster.reduce((most, value, at) => Math.max(most, Math.abs(value - (expected[at] ?? NaN))), 0);
  assert.ok(worst <= tolerance, `${about}: differs by ${String(worst)}`);
}

/** Turns and mirrors the upright pixels of a picture that has been reduced already. */
function toExpected(pixels: Uint8Array, upright: Size, isTurned: boolean, shape: Size): Uint8Array {
  if (!isTurned) return mirrorPixels(pixels, upright, shape);
  return mirrorPixels(turnClockwise(pixels, upright), { width: upright.height, height: upright.width }, shape);
}

test('a_picture_that_fits_keeps_its_pixels_and_is_mirrored_around', async () => {
  for (const [width, height] of [
    [3, 2],
    [2, 3],
    [40, 48],
    [50, 37],
    [64, 48],
    [48, 64],
    [30, 30],
    [64, 1],
    [1, 47],
    [1, 1],
  ] as const) {
    const picture = drawNoise(width, height);
    const [bytes, pixels] = [await picture.clone().png().toBuffer(), await picture.clone().raw().toBuffer()];
    for (const [kind, shape] of Object.entries(shapes)) {
      if (kind === 'even' && Math.max(width, height) > even.width) continue;
      const isTurned = kind === 'landscape' ? width < height : kind === 'portrait' && width > height;
      const raster = await decodeImage(bytes, shape, limits);
      const expected = toExpected(pixels, { width, height }, isTurned, shape);
      assertSame(raster, expected, 0, `${String(width)} × ${String(height)} ${kind}`);
    }
  }
});

test('a_picture_that_is_too_large_is_reduced_as_plain_sharp_does_it_then_turned_and_mirrored', async () => {
  for (const [width, height] of [
    [640, 480],
    [480, 640],
    [977, 301],
    [301, 977],
    [800, 800],
    [65, 20],
    [20, 65],
    [3, 2000],
  ] as const) {
    const bytes = await drawNoise(width, height).jpeg().toBuffer();
    for (const [kind, shape] of Object.entries(shapes)) {
      const { isTurned, ...placed } = toLongSidePlacement({ width, height }, shape);
      const upright = isTurned ? { width: placed.height, height: placed.width } : placed;
      const pixels = await sharp(bytes)
        .resize({ ...upright, fit: 'fill' })
        .raw()
        .toBuffer();
      const raster = await decodeImage(bytes, shape, limits);
      const about = `${String(width)} × ${String(height)} ${kind}`;
      assertSame(raster, toExpected(pixels, upright, isTurned, shape), 0, about);
    }
  }
});

test('it_is_turned_clockwise', async () => {
  const bytes = await drawQuarters(48, 64).png().toBuffer();
  const raster = await decodeImage(bytes, landscape, limits);
  const corners = [
    [0, 0, blue],
    [63, 0, red],
    [0, 47, white],
    [63, 47, green],
  ] as const;
  for (const [x, y, colour] of corners) assertColour(pixelAt(raster, 64, x, y), colour, 0);
});

/** A reduction looks at other pixels when it begins at another corner: of these that makes little difference. */
function toWaves(x: number, y: number): Colour {
  return [128 + 90 * Math.sin(x / 23 + y / 71), 128 + 90 * Math.cos(y / 31), (x + y) / 2];
}

/** Pictures that keep their pixels, and pictures that are reduced, with how much that may differ by where it begins. */
const pictures = [
  [60, 33, toNoise, 0],
  [33, 60, toNoise, 0],
  [300, 170, toWaves, 3],
  [170, 300, toWaves, 3],
] as const;

test('a_portrait_is_the_landscape_that_it_becomes_when_it_is_turned', async () => {
  for (const [width, height, toColour, tolerance] of pictures.filter(([across, down]) => across > down)) {
    const lying = await drawPixels(width, height, toColour).png().toBuffer();
    const standing = await drawPixels(height, width, (x, y) => toColour(width - 1 - y, x))
      .png()
      .toBuffer();
    const expected = await decodeImage(lying, landscape, limits);
    const raster = await decodeImage(standing, landscape, limits);
    assertSame(raster, expected, tolerance, `${String(width)} × ${String(height)}`);
  }
});

test('all_eight_orientations_give_what_the_upright_picture_gives', async () => {
  for (const [width, height, toColour, tolerance] of pictures) {
    const upright = await drawPixels(width, height, toColour).png().toBuffer();
    for (const [kind, shape] of Object.entries({ landscape, portrait })) {
      const expected = await decodeImage(upright, shape, limits);
      for (const [orientation, toSeen] of Object.entries(seen)) {
        const size: [number, number] = Number(orientation) < 5 ? [width, height] : [height, width];
        const last = { x: width - 1, y: height - 1 };
        const stored = drawPixels(...size, (x, y) => toColour(...toSeen(x, y, last)));
        const bytes = await stored
          .withMetadata({ orientation: Number(orientation) })
          .png()
          .toBuffer();
        const raster = await decodeImage(bytes, shape, limits);
        assertSame(raster, expected, tolerance, `${String(width)} × ${String(height)} ${kind} ${orientation}`);
      }
    }
  }
});

/** A portrait whose alpha runs from clear to opaque, in every kind that it can be stored in. */
async function encodeKinds(): Promise<Record<string, Buffer>> {
  const picture = drawNoise(33, 60);
  const alpha = await drawPixels(33, 60, (x, y) => [x * 7, y * 4, 0])
    .extractChannel(0)
    .raw()
    .toBuffer();
  const clear = sharp(
    await picture
      .clone()
      .joinChannel(alpha, { raw: { width: 33, height: 60, channels: 1 } })
      .png()
      .toBuffer(),
  );
  return {
    jpeg: await picture.clone().jpeg().toBuffer(),
    grey: await picture.clone().toColourspace('b-w').jpeg().toBuffer(),
    grey16: await picture.clone().toColourspace('grey16').png().toBuffer(),
    alpha: await clear.clone().png().toBuffer(),
    alpha16: await clear.clone().toColourspace('rgb16').png().toBuffer(),
    alphaWebp: await clear.clone().webp({ lossless: true }).toBuffer(),
    cmyk: await picture.clone().toColourspace('cmyk').jpeg().toBuffer(),
    wide: await picture.clone().withIccProfile('p3').png().toBuffer(),
    rgb16: await picture.clone().toColourspace('rgb16').png().toBuffer(),
    wide16: await picture.clone().withIccProfile('p3').toColourspace('rgb16').tiff().toBuffer(),
    palette: await picture.clone().png({ palette: true }).toBuffer(),
    gif: await clear.clone().gif().toBuffer(),
    avif: await clear.clone().avif().toBuffer(),
    tiff: await picture.clone().tiff({ compression: 'lzw' }).toBuffer(),
  };
}

test('every_kind_of_picture_is_turned_and_mirrored_as_the_pixels_that_the_other_modes_see', async () => {
  for (const [kind, bytes] of Object.entries(await encodeKinds())) {
    const size = { width: 33, height: 60 };
    const pixels = await decodeImage(bytes, { ...size, resize: 'stretch' }, limits);
    const raster = await decodeImage(bytes, landscape, limits);
    assertSame(raster, toExpected(pixels, size, true, landscape), 0, kind);
  }
});
