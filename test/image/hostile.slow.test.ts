import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { decodeImage } from '../../src/image/decode.ts';
import { inspectImage } from '../../src/image/header.ts';
import { readJpegHeader } from '../../src/image/header/jpeg.ts';
import { readPngHeader } from '../../src/image/header/png.ts';
import { dropCompressedText } from '../../src/image/png-text.ts';
import {
  assertColour,
  assertMiddle,
  assertRejects,
  drawNoise,
  drawPlain,
  green,
  limits,
  pixelAt,
  readPeakBytes,
  red,
  square,
  toChunk,
  toSmallPng,
} from './fixtures.ts';

const megabyte = 2 ** 20;

function toCompressedText(type: 'zTXt' | 'iTXt', bytes: number): Buffer {
  const head = type === 'zTXt' ? 'key\0\0' : 'key\0\x01\0\0\0';
  return toChunk(type, Buffer.concat([Buffer.from(head, 'latin1'), deflateSync(Buffer.alloc(bytes, 'A'))]));
}

/** Repeats the last scan of a progressive JPEG. */
async function repeatScan(times: number): Promise<Buffer> {
  const bytes = await drawPlain(red, 64, 64).jpeg({ progressive: true }).toBuffer();
  const scan = bytes.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scans = Array.from({ length: times }, () => bytes.subarray(scan, bytes.length - 2));
  return Buffer.concat([bytes.subarray(0, scan), ...scans, bytes.subarray(bytes.length - 2)]);
}

test('text_that_inflates_to_a_gigabyte_costs_no_memory', async () => {
  const chunks = [toCompressedText('zTXt', 40 * megabyte), toCompressedText('iTXt', 40 * megabyte)];
  const bytes = toSmallPng(
    green,
    Array.from({ length: 26 }, (_, index) => chunks[index % 2] ?? Buffer.alloc(0)),
  );
  const before = readPeakBytes();
  assertMiddle(await decodeImage(bytes, square, limits), green, 0);
  const grown = readPeakBytes() - before;
  assert.ok(grown < 100 * megabyte, `${String(Math.round(grown / megabyte))} MiB more`);
});

/** The PNG as it is given to the library. */
function dropText(bytes: Buffer): Uint8Array {
  const header = readPngHeader(bytes);
  assert.ok(header);
  return dropCompressedText(bytes, header);
}

test('only_text_that_may_be_compressed_is_dropped_from_a_PNG', () => {
  const kept = [toChunk('tEXt', Buffer.from('key\0text')), toChunk('gAMA', Buffer.from([0, 0, 0xb1, 0x8f]))];
  const plain = toSmallPng(green, kept);
  assert.equal(dropText(plain), plain, 'nothing to drop');
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = kept;
  const text = [toCompressedText('zTXt', 10), toCompressedText('iTXt', 10)];
  const mixed = toSmallPng(green, [...text, first, ...text, second, ...text]);
  assert.ok(plain.equals(dropText(mixed)));
});

test('a_text_chunk_that_claims_more_than_the_file_is_no_way_around', async () => {
  const bytes = toSmallPng(green, [toCompressedText('zTXt', 10)]);
  bytes.writeUInt32BE(0x7fff_ffff, bytes.indexOf('zTXt') - 4);
  await assertRejects(inspectImage(bytes, limits), 'ERR_IMAGE_CORRUPT');
});

test('a_progressive_JPEG_with_too_many_scans_is_refused_before_it_is_decoded', async () => {
  const ordinary = await repeatScan(1);
  assert.ok((readJpegHeader(ordinary)?.scans ?? 0) >= 5);
  await decodeImage(ordinary, square, limits);
  await assertRejects(inspectImage(await repeatScan(101), limits), 'ERR_IMAGE_TOO_COSTLY');
});

test('an_AVIF_that_hides_a_larger_picture_than_its_header_tells_is_corrupt', async () => {
  const bytes = await drawPlain(red, 1024, 1024).avif({ effort: 0 }).toBuffer();
  const extents = bytes.indexOf('ispe') + 8;
  bytes.writeUInt32BE(16, extents);
  bytes.writeUInt32BE(16, extents + 4);
  assert.equal((await inspectImage(bytes, limits)).width, 16);
  await assertRejects(decodeImage(bytes, square, limits), 'ERR_IMAGE_CORRUPT');
});

test('pictures_that_are_one_pixel_thin_are_decoded_in_little_memory', async () => {
  const uploads = {
    tall: await drawPlain(green, 1, 20_000).png().toBuffer(),
    wide: await drawPlain(green, 20_000, 1).png().toBuffer(),
    turned: await drawPlain(green, 1, 20_000).withMetadata({ orientation: 6 }).png().toBuffer(),
    wideJpeg: await drawPlain(green, 60_000, 1).jpeg({ quality: 95 }).toBuffer(),
    turnedTiff: await drawPlain(green, 20_000, 2)
      .withMetadata({ orientation: 8 })
      .tiff({ compression: 'lzw' })
      .toBuffer(),
  };
  const before = readPeakBytes();
  for (const [kind, bytes] of Object.entries(uploads)) {
    for (const resize of ['cover', 'stretch', 'long-side'] as const) {
      const raster = await decodeImage(bytes, { width: 224, height: 224, resize }, limits);
      assertColour(pixelAt(raster, 224, 112, 112), green, 4, `${kind} ${resize}`);
      assertColour(pixelAt(raster, 224, 223, 223), green, 4, `${kind} ${resize}`);
    }
    const contained = await decodeImage(bytes, { width: 224, height: 224, resize: 'contain' }, limits);
    assert.ok(
      contained.some((value) => value > 200),
      `${kind} is not lost in black`,
    );
  }
  const grown = readPeakBytes() - before;
  assert.ok(grown < 200 * megabyte, `${String(Math.round(grown / megabyte))} MiB more`);
});

test('a_turned_picture_of_50_megapixels_is_decoded_in_little_memory', async () => {
  const bytes = await drawPlain(green, 5000, 10_000).png().toBuffer();
  const before = readPeakBytes();
  const raster = await decodeImage(bytes, { width: 640, height: 480, resize: 'long-side' }, limits);
  assertColour(pixelAt(raster, 640, 639, 479), green, 0);
  const grown = readPeakBytes() - before;
  assert.ok(grown < 100 * megabyte, `${String(Math.round(grown / megabyte))} MiB more`);
});

test('the_centre_of_an_extreme_picture_is_what_cover_shows', async () => {
  const bytes = await drawNoise(40, 4000).png().toBuffer();
  const raster = await decodeImage(bytes, { width: 40, height: 40, resize: 'cover' }, limits);
  const centre = await drawNoise(40, 4000).extract({ left: 0, top: 1980, width: 40, height: 40 }).raw().toBuffer();
  assert.ok(centre.equals(raster));
});

test('a_decode_that_takes_too_long_runs_out_of_time_and_the_next_one_works', async () => {
  const slow = await drawNoise(2900, 3100).png({ progressive: true }).toBuffer();
  for (const shape of [square, { width: 64, height: 32, resize: 'long-side' } as const]) {
    const decoding = decodeImage(slow, shape, { ...limits, decodeTimeoutMs: 5 });
    const { detail } = await assertRejects(decoding, 'ERR_DECODE_TIMEOUT');
    assert.match(detail, /within 5 ms/);
  }
  assertMiddle(await decodeImage(toSmallPng(green, []), square, limits), green, 0);
});

test('loaders_of_the_library_for_formats_that_are_not_accepted_cannot_be_reached', async () => {
  const { default: sharp } = await import('sharp');
  const svg = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
  );
  await assert.rejects(sharp(svg).raw().toBuffer(), /unsupported image format/);
});
