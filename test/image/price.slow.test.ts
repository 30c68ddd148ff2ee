import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import { decodeImage } from '../../src/image/decode.ts';
import { measureImage } from '../../src/image/header.ts';
import { assertAffordable } from '../../src/image/header/cost.ts';
import { toDecodeBytes } from '../../src/image/header/price.ts';
import { readHeader } from '../../src/image/header/read-header.ts';
import { sniffFormat } from '../../src/image/sniff.ts';
import { drawCostly, enlargeAvif } from '../fixtures/costly-pictures.ts';
import {
  assertMiddle,
  assertRejects,
  type Colour,
  drawPlain,
  limits,
  pngSignature,
  red,
  square,
  toChunk,
  toPngHeader,
} from './fixtures.ts';

const mebibyte = 2 ** 20;

function price(bytes: Uint8Array, orientation = 1): number {
  const format = sniffFormat(bytes);
  assert.ok(format);
  const header = readHeader(bytes, format);
  return toDecodeBytes(header, header, orientation) / mebibyte;
}

/** The headers of a PNG of 16-bit RGBA, without pixels. */
function toDeepPng(width: number, height: number): Buffer {
  const header = toPngHeader(width, height).subarray(8, 21);
  header.writeUInt8(16, 8);
  header.writeUInt8(6, 9);
  return Buffer.concat([pngSignature, toChunk('IHDR', header), toChunk('IDAT'), toChunk('IEND')]);
}

test('what_libraries_keep_whole_costs_its_pixels_by_depth_and_channels', async () => {
  const pictures = await drawCostly(512);
  const get = (name: string): number => price(pictures.get(name) ?? Buffer.alloc(0));
  const mebipixels = 0.25;
  assert.ok(get('jpeg') > 8 * mebipixels, 'four components of two bytes');
  assert.ok(get('png') > 8 * mebipixels, 'four channels of two bytes');
  assert.ok(get('webp') > 4 * mebipixels);
  assert.ok(get('gif') > 4 * mebipixels);
  assert.ok(get('tiff') > 8 * mebipixels, 'all in one tile');
  assert.ok(get('avif') > 25 * mebipixels, 'planes of two bytes, twice, and the blocks');
});

test('a_progressive_JPEG_costs_its_coefficients_a_sequential_one_of_the_same_size_does_not', async () => {
  const picture = drawPlain(red, 2000, 2000);
  const sequential = price(await picture.clone().jpeg().toBuffer());
  const halved = price(await picture.clone().jpeg({ progressive: true }).toBuffer());
  const full = price(await picture.clone().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer());
  assert.equal(Math.round(halved - sequential), Math.round((4e6 * 3) / mebibyte));
  assert.equal(Math.round(full - sequential), Math.round((4e6 * 6) / mebibyte));
});

test('a_wide_picture_costs_the_rows_that_are_kept_a_tall_one_only_where_it_is_turned', () => {
  assert.ok(price(toDeepPng(1_000_000, 49)) > 1836, 'what was measured');
  assert.ok(price(toDeepPng(49, 1_000_000)) < 20);
  assert.ok(price(toDeepPng(49, 1_000_000), 6) > 1836);
});

test('ordinary_pictures_of_as_many_pixels_as_are_allowed_fit_into_the_default', async () => {
  const { maxPixels, maxDecodeBytes } = limits;
  const side = Math.floor(Math.sqrt(maxPixels));
  const large = drawPlain(red, side, side);
  for (const bytes of [await large.clone().jpeg({ progressive: true }).toBuffer(), toDeepPng(side, side)]) {
    assert.ok(price(bytes) * mebibyte < maxDecodeBytes);
  }
});

test('what_the_largest_phones_take_is_served_with_the_default_configuration_turned_or_not', async () => {
  const { image } = configSchema.parse({});
  const colour: Colour = [200, 60, 30];
  const picture = drawPlain(colour, 8192, 6144);
  for (const orientation of [1, 6]) {
    const bytes = await picture.clone().withMetadata({ orientation }).jpeg().toBuffer();
    assertMiddle(await decodeImage(bytes, square, image), colour, 4, String(orientation));
  }
  const webp = await drawPlain(colour, 64, 48).webp({ lossless: true }).toBuffer();
  const header = { ...readHeader(webp, 'webp'), width: 8192, height: 6144 };
  assertAffordable(toDecodeBytes(header, header, 6), image);
});

test('a_picture_that_needs_more_memory_than_there_is_is_refused_by_its_header', async () => {
  const small = drawPlain(red).ensureAlpha(0.5);
  const avif = enlargeAvif(await small.clone().avif({ effort: 0, bitdepth: 12 }).toBuffer(), 7000);
  const { detail } = await assertRejects(measureImage(avif, limits), 'ERR_IMAGE_TOO_COSTLY', 'avif');
  assert.match(detail, /^decoding the image takes \d+ bytes; at most 268435456 are accepted$/);
  await assertRejects(measureImage(toDeepPng(1_000_000, 49), limits), 'ERR_IMAGE_TOO_COSTLY', 'png');
  assert.throws(() => {
    assertAffordable(limits.maxDecodeBytes + 1, limits);
  });
  assertAffordable(limits.maxDecodeBytes, limits);
});

test('a_plain_JPEG_is_never_refused_for_its_memory', async () => {
  const bytes = await drawPlain(red, 4000, 100).jpeg().toBuffer();
  assert.ok((await measureImage(bytes, { ...limits, maxDecodeBytes: 1 })).plain);
  const unusual = await drawPlain(red, 4000, 100).jpeg({ progressive: true }).toBuffer();
  await assertRejects(measureImage(unusual, { ...limits, maxDecodeBytes: 1 }), 'ERR_IMAGE_TOO_COSTLY');
});
