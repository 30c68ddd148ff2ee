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

test('format, size and bytes are told for every format', async () => {
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

test('width and height are those of the upright picture', async () => {
  for (let orientation = 1; orientation <= 8; orientation += 1) {
    const bytes = await drawQuarters(40, 20).withMetadata({ orientation }).jpeg().toBuffer();
    const { width, height } = await inspectImage(bytes, limits);
    assert.deepEqual([width, height], orientation < 5 ? [40, 20] : [20, 40], `orientation ${String(orientation)}`);
  }
});

test('of an animation only the first frame is counted', async () => {
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

test('a view into a larger buffer is read from where it begins', async () => {
  const bytes = await drawPlain(red, 9, 7).png().toBuffer();
  const larger = new Uint8Array(bytes.length + 20);
  larger.set(bytes, 13);
  const facts = await inspectImage(larger.subarray(13, 13 + bytes.length), limits);
  assert.deepEqual(facts, { format: 'png', width: 9, height: 7, bytes: bytes.length });
});

test('no bytes are a missing upload', async () => {
  await assertRejects(inspectImage(new Uint8Array(), limits), 'ERR_UPLOAD_MISSING');
});

test('an SVG is unsupported', async () => {
  const bytes = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  await assertRejects(inspectImage(bytes, limits), 'ERR_IMAGE_UNSUPPORTED');
});

test('one pixel more than allowed is too many', async () => {
  const bytes = await drawPlain(red, 100, 10).png().toBuffer();
  await inspectImage(bytes, { ...limits, maxPixels: 1000 });
  const error = await assertRejects(inspectImage(bytes, { ...limits, maxPixels: 999 }), 'ERR_IMAGE_TOO_MANY_PIXELS');
  assert.match(error.detail, /100 × 10 /);
});

test('a header that promises too much is refused before its pixels are looked for', async () => {
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

test('a side that is too long is refused, however thin the picture is', async () => {
  const bytes = Buffer.concat([pngSignature, toPngHeader(1_000_001, 1), toChunk('IDAT'), toChunk('IEND')]);
  await assertRejects(inspectImage(bytes, limits), 'ERR_IMAGE_TOO_MANY_PIXELS');
});

test('a picture without width or height is corrupt', async () => {
  const png = Buffer.concat([pngSignature, toPngHeader(0, 10), toChunk('IDAT'), toChunk('IEND')]);
  await assertRejects(inspectImage(png, limits), 'ERR_IMAGE_CORRUPT', 'png');
  await assertRejects(inspectImage(await forgeJpegSize(0, 0), limits), 'ERR_IMAGE_CORRUPT', 'jpeg');
});

test('a magic with nothing or nonsense behind it is corrupt', async () => {
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
