import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectImage } from '../../src/image/header.ts';
import { assertRejects, drawPlain, drawQuarters, limits, pngSignature, red, toChunk, toPngHeader } from './fixtures.ts';

/** A JPEG whose frame header claims another size. */
async function forgeJpegSize(width: number, height: number): Promise<Buffer> {
  const bytes = await drawPlain(red).jpeg().toBuffer();
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  assert.ok(frame > 0);
  bytes.writeUInt16BE(height, frame + 5);
  bytes.writeUInt16BE(width, frame + 7);
  return bytes;
}

test('format_size_and_bytes_are_told_for_every_format', async () => {
  const picture = drawPlain(red, 48, 20);
  const uploads = {
    jpeg: await picture.clone().jpeg().toBuffer(),
    png: await picture.clone().png().toBuffer(),
    webp: await picture.clone().webp().toBuffer(),
    gif: await picture.clone().gif().toBuffer(),
    avif: await picture.clone().avif().toBuffer(),
    tiff: await picture.clone().tiff().toBuffer(),
  };
  for (const [format, bytes] of Object.entries(uploads)) {
    assert.deepEqual(await inspectImage(bytes, limits), { format, width: 48, height: 20, bytes: bytes.length });
  }
});

test('width_and_height_are_those_of_the_upright_picture', async () => {
  for (let orientation = 1; orientation <= 8; orientation += 1) {
    const bytes = await drawQuarters(40, 20).withMetadata({ orientation }).jpeg().toBuffer();
    const { width, height } = await inspectImage(bytes, limits);
    assert.deepEqual([width, height], orientation < 5 ? [40, 20] : [20, 40], `orientation ${String(orientation)}`);
  }
});

test('of_an_animation_only_the_first_frame_is_counted', async () => {
  const frames = await Promise.all(
    [drawPlain(red, 100, 100), drawPlain(red, 100, 100)].map((frame) => frame.png().toBuffer()),
  );
  const { default: sharp } = await import('sharp');
  const bytes = await sharp(frames, { join: { animated: true } })
    .webp({ lossless: true })
    .toBuffer();
  const { width, height } = await inspectImage(bytes, { ...limits, maxPixels: 10_000 });
  assert.deepEqual([width, height], [100, 100]);
});

test('a_view_into_a_larger_buffer_is_read_from_where_it_begins', async () => {
  const bytes = await drawPlain(red, 9, 7).png().toBuffer();
  const larger = new Uint8Array(bytes.length + 20);
  larger.set(bytes, 13);
  const facts = await inspectImage(larger.subarray(13, 13 + bytes.length), limits);
  assert.deepEqual(facts, { format: 'png', width: 9, height: 7, bytes: bytes.length });
});

test('no_bytes_are_a_missing_upload', async () => {
  await assertRejects(inspectImage(new Uint8Array(), limits), 'ERR_UPLOAD_MISSING');
});

test('an_SVG_is_unsupported', async () => {
  const bytes = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  await assertRejects(inspectImage(bytes, limits), 'ERR_IMAGE_UNSUPPORTED');
});

test('one_pixel_more_than_allowed_is_too_many', async () => {
  const bytes = await drawPlain(red, 100, 10).png().toBuffer();
  await inspectImage(bytes, { ...limits, maxPixels: 1000 });
  const error = await assertRejects(inspectImage(bytes, { ...limits, maxPixels: 999 }), 'ERR_IMAGE_TOO_MANY_PIXELS');
  assert.match(error.detail, /100 × 10 /);
});

test('a_header_that_promises_too_much_is_refused_before_its_pixels_are_looked_for', async () => {
  for (const [width, height] of [
    [50_000, 50_000],
    [2_147_483_647, 1],
    [1, 2_147_483_647],
    [7212, 7212],
  ] as const) {
    const bytes = Buffer.concat([pngSignature, toPngHeader(width, height), toChunk('IDAT'), toChunk('IEND')]);
    await assertRejects(
      inspectImage(bytes, limits),
      'ERR_IMAGE_TOO_MANY_PIXELS',
      `${String(width)} × ${String(height)}`,
    );
  }
  for (const [width, height] of [
    [65_535, 65_535],
    [65_500, 65_500],
  ] as const) {
    await assertRejects(inspectImage(await forgeJpegSize(width, height), limits), 'ERR_IMAGE_TOO_MANY_PIXELS');
  }
  const avif = await drawPlain(red).avif().toBuffer();
  const extents = avif.indexOf('ispe') + 8;
  avif.writeUInt32BE(20_000, extents);
  avif.writeUInt32BE(20_000, extents + 4);
  await assertRejects(inspectImage(avif, limits), 'ERR_IMAGE_TOO_MANY_PIXELS', 'avif');
});

test('a_side_that_is_too_long_is_refused_however_thin_the_picture_is', async () => {
  const bytes = Buffer.concat([pngSignature, toPngHeader(1_000_001, 1), toChunk('IDAT'), toChunk('IEND')]);
  await assertRejects(inspectImage(bytes, limits), 'ERR_IMAGE_TOO_MANY_PIXELS');
});

test('a_picture_without_width_or_height_is_corrupt', async () => {
  const png = Buffer.concat([pngSignature, toPngHeader(0, 10), toChunk('IDAT'), toChunk('IEND')]);
  await assertRejects(inspectImage(png, limits), 'ERR_IMAGE_CORRUPT', 'png');
  await assertRejects(inspectImage(await forgeJpegSize(0, 0), limits), 'ERR_IMAGE_CORRUPT', 'jpeg');
});

test('a_magic_with_nothing_or_nonsense_behind_it_is_corrupt', async () => {
  const magics = [
    '\xff\xd8\xff',
    '\x89PNG\r\n\x1a\n',
    'GIF89a',
    'RIFF\x08\0\0\0WEBP',
    'II*\0\x08\0\0\0',
    '\0\0\0\x14ftypavif\0\0\0\0mif1',
  ];
  for (const magic of magics) {
    for (const rest of ['', '\0'.repeat(200), 'nonsense '.repeat(50)]) {
      await assertRejects(inspectImage(Buffer.from(magic + rest, 'latin1'), limits), 'ERR_IMAGE_CORRUPT', magic);
    }
  }
});
