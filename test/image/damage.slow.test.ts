import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import type { Sharp } from 'sharp';
import { noDeadline } from '../../src/deadline.ts';
import { decodeImage } from '../../src/image/decode.ts';
import type { RasterShape } from '../../src/image/types.ts';
import {
  assertMiddle,
  assertRejects,
  blue,
  drawNoise,
  drawPlain,
  limits,
  pngSignature,
  resizeModes,
  square,
  toChunk,
  toPngHeader,
} from './fixtures.ts';

const cover: RasterShape = { width: 64, height: 64, resize: 'cover' };
/** Where the first scan's data begins: behind the header of SOS. */
const scanHeaderBytes = 14;

async function encodeNoise(): Promise<Record<string, Buffer>> {
  const picture = drawNoise(160, 120);
  return {
    jpeg: await picture.clone().jpeg().toBuffer(),
    progressive: await picture.clone().jpeg({ progressive: true }).toBuffer(),
    png: await picture.clone().png().toBuffer(),
    interlaced: await picture.clone().png({ progressive: true }).toBuffer(),
    lossy: await picture.clone().webp().toBuffer(),
    lossless: await picture.clone().webp({ lossless: true }).toBuffer(),
    gif: await picture.clone().gif().toBuffer(),
    avif: await picture.clone().avif().toBuffer(),
    tiff: await picture.clone().tiff({ compression: 'deflate' }).toBuffer(),
    jpegInTiff: await picture.clone().tiff({ compression: 'jpeg' }).toBuffer(),
  };
}

/** A JPEG with restart markers is damaged in one place only, as a bad disk does it. */
function findScan(bytes: Buffer): number {
  const scan = bytes.indexOf(Buffer.from([0xff, 0xda]));
  assert.ok(scan > 0);
  return scan + scanHeaderBytes;
}

/** Saves a picture as JPEG and as PNG and keeps only a part of the bytes. */
async function assertCutIsCorrupt(picture: Sharp, part: number, shape: RasterShape): Promise<void> {
  const uploads = { jpeg: await picture.clone().jpeg().toBuffer(), png: await picture.clone().png().toBuffer() };
  for (const [kind, bytes] of Object.entries(uploads)) {
    await decodeImage(bytes, shape, limits);
    const cut = bytes.subarray(0, Math.floor(bytes.length * part));
    await assertRejects(decodeImage(cut, shape, limits), 'ERR_IMAGE_CORRUPT', kind);
  }
}

test('a_truncated_picture_is_corrupt_in_every_format', async () => {
  for (const [kind, bytes] of Object.entries(await encodeNoise())) {
    for (const resize of resizeModes) {
      const shape = { width: 56, height: 64, resize };
      await decodeImage(bytes, shape, limits);
      for (const part of [0.05, 0.25, 0.5, 0.75, 0.9]) {
        const cut = bytes.subarray(0, Math.floor(bytes.length * part));
        const about = `${kind} cut to ${String(part)}, ${resize}`;
        await assertRejects(decodeImage(cut, shape, limits), 'ERR_IMAGE_CORRUPT', about);
      }
    }
  }
});

test('a_picture_that_is_cut_off_below_what_a_crop_shows_is_corrupt', async () => {
  await assertCutIsCorrupt(drawNoise(60, 600), 0.95, cover);
});

test('a_turned_picture_that_has_lost_its_last_row_is_corrupt', async () => {
  const turning: RasterShape = { width: 64, height: 48, resize: 'long-side' };
  await assertCutIsCorrupt(drawNoise(300, 600), 0.99, turning);
});

test('an_extreme_picture_that_is_cut_off_outside_its_crop_is_corrupt', async () => {
  const bytes = await drawNoise(16, 2000).png().toBuffer();
  await decodeImage(bytes, cover, limits);
  const cut = bytes.subarray(0, Math.floor(bytes.length * 0.95));
  await assertRejects(decodeImage(cut, cover, limits), 'ERR_IMAGE_CORRUPT');
});

test('a_PNG_whose_pixels_end_early_is_corrupt', async () => {
  const rows = deflateSync(Buffer.alloc(50 * (1 + 200 * 3)));
  const bytes = Buffer.concat([pngSignature, toPngHeader(200, 200), toChunk('IDAT', rows), toChunk('IEND')]);
  await assertRejects(decodeImage(bytes, cover, limits), 'ERR_IMAGE_CORRUPT');
});

test('flipped_bits_under_a_checksum_are_corrupt', async () => {
  const bytes = await drawNoise(160, 120).png().toBuffer();
  const middle = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 0x10, middle);
  await assertRejects(decodeImage(bytes, cover, limits), 'ERR_IMAGE_CORRUPT');
});

test('lost_pixels_that_libjpeg_would_paint_over_are_corrupt', async () => {
  const bytes = await drawNoise(160, 120).jpeg().toBuffer();
  const scan = findScan(bytes);
  const holed = Buffer.concat([bytes.subarray(0, scan + 200), bytes.subarray(bytes.length - 2)]);
  await assertRejects(decodeImage(holed, cover, limits), 'ERR_IMAGE_CORRUPT', 'an end that comes too soon');
  const garbled = Buffer.from(bytes);
  garbled.fill(0xaa, scan + 200, scan + 900);
  await assertRejects(decodeImage(garbled, cover, limits), 'ERR_IMAGE_CORRUPT', 'nonsense in the middle');
});

test('lost_pixels_of_a_JPEG_inside_a_TIFF_are_corrupt', async () => {
  const bytes = await drawNoise(160, 120).tiff({ compression: 'jpeg' }).toBuffer();
  const scan = findScan(bytes);
  bytes.fill(0xaa, scan + 100, scan + 500);
  await assertRejects(decodeImage(bytes, cover, limits), 'ERR_IMAGE_CORRUPT');
});

test('stray_bytes_between_the_segments_of_a_JPEG_do_no_harm', async () => {
  const bytes = await drawPlain(blue).jpeg({ quality: 95 }).toBuffer();
  const table = bytes.indexOf(Buffer.from([0xff, 0xc4]));
  const stray = Buffer.concat([bytes.subarray(0, table), Buffer.from('stray'), bytes.subarray(table)]);
  assertMiddle(await decodeImage(stray, square, limits), blue, 4);
});

test('what_follows_the_end_of_a_picture_does_no_harm', async () => {
  const picture = drawPlain(blue);
  const uploads = {
    jpeg: await picture.clone().jpeg({ quality: 95 }).toBuffer(),
    png: await picture.clone().png().toBuffer(),
    gif: await picture.clone().gif().toBuffer(),
  };
  for (const [kind, bytes] of Object.entries(uploads)) {
    const longer = Buffer.concat([bytes, Buffer.from('PK\x03\x04 and so on'), Buffer.alloc(5000)]);
    assertMiddle(await decodeImage(longer, square, limits), blue, 4, kind);
  }
});

test('a_JPEG_without_its_tables_is_corrupt', async () => {
  const bytes = await drawPlain(blue).jpeg().toBuffer();
  const table = bytes.indexOf(Buffer.from([0xff, 0xdb]));
  const without = Buffer.concat([bytes.subarray(0, table), bytes.subarray(table + 2 + bytes.readUInt16BE(table + 2))]);
  await assertRejects(decodeImage(without, cover, limits), 'ERR_IMAGE_CORRUPT');
});

test('many_damaged_pictures_at_a_time_leave_the_good_ones_alone', async () => {
  const good = await drawPlain(blue).jpeg({ quality: 95 }).toBuffer();
  const noise = await drawNoise(160, 120).jpeg().toBuffer();
  const cut = noise.subarray(0, noise.length / 2);
  const work = Array.from({ length: 20 }, async (_, index) => {
    if (index % 2 === 0) await assertRejects(decodeImage(cut, cover, limits), 'ERR_IMAGE_CORRUPT');
    else assertMiddle(await decodeImage(good, square, limits), blue, 4);
  });
  await Promise.all(work);
});

test('a_damaged_picture_that_many_upload_at_a_time_is_corrupt_for_each_of_them', async () => {
  const noise = await drawNoise(320, 240).jpeg().toBuffer();
  const cut = Buffer.concat([noise.subarray(0, Math.floor(noise.length * 0.8)), Buffer.from([0xff, 0xd9])]);
  const watch = { ...noDeadline, imageHash: 'the same' };
  const decodes = Array.from({ length: 60 }, () =>
    assertRejects(decodeImage(cut, cover, limits, watch), 'ERR_IMAGE_CORRUPT'),
  );
  await Promise.all(decodes);
});
