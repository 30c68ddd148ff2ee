import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAvifHeader } from '../../src/image/header/avif.ts';
import { readJpegHeader } from '../../src/image/header/jpeg.ts';
import { readPngHeader } from '../../src/image/header/png.ts';
import { readAv1Stream } from '../../src/image/header/sequence-header.ts';
import { readTiffHeader } from '../../src/image/header/tiff.ts';
import { readWebpHeader } from '../../src/image/header/webp.ts';
import { makeAnimatedWebp, makeTiff, tinyPage, toSegment } from './containers.ts';
import { drawNoise, drawPlain, green, red, toChunk, toSmallPng } from './fixtures.ts';

/** A JPEG that is all header: a frame of a kind, and a scan of some of its three components. */
function toJpeg(frameMarker: number, inScan: number): Buffer {
  const frame = Buffer.from('08' + '0014' + '0030' + '03' + '012200' + '021101' + '031101', 'hex');
  const scan = Buffer.from(`0${String(inScan)}${'0100'.repeat(inScan)}003f00`, 'hex');
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    toSegment(frameMarker, frame),
    toSegment(0xda, scan),
    Buffer.of(0xff, 0xd9),
  ]);
}

test('the kind of a JPEG is that of its frame header', () => {
  const kinds = [0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc9, 0xca, 0xcb].map((marker) => {
    const facts = readJpegHeader(toJpeg(marker, 3));
    return [marker, facts?.isSequential, facts?.isBuffered];
  });
  assert.deepEqual(kinds, [
    [0xc0, true, false],
    [0xc1, true, false],
    [0xc2, false, true],
    [0xc3, false, false],
    [0xc5, false, false],
    [0xc6, false, true],
    [0xc9, false, false],
    [0xca, false, true],
    [0xcb, false, false],
  ]);
  for (const marker of [0xc4, 0xc8, 0xcc]) assert.equal(readJpegHeader(toJpeg(marker, 3)), undefined);
});

test('scans of a JPEG are counted where the decoder goes over them', async () => {
  const progressive = readJpegHeader(await drawNoise(64, 64).jpeg({ progressive: true }).toBuffer());
  assert.ok((progressive?.scans ?? 0) >= 5);
  assert.ok(progressive?.isBuffered);
  const bands = readJpegHeader(toJpeg(0xc0, 1));
  assert.deepEqual([bands?.scans, bands?.isBuffered, bands?.isComplete], [1, true, true]);
  assert.deepEqual(bands?.components, [
    { across: 2, down: 2 },
    { across: 1, down: 1 },
    { across: 1, down: 1 },
  ]);
  const sequential = await drawNoise(64, 64).jpeg().toBuffer();
  const twice = Buffer.concat([sequential.subarray(0, -2), sequential.subarray(2)]);
  assert.equal(readJpegHeader(twice)?.scans, 1);
});

test('a preview in the header and pictures behind the end are not taken for the picture', async () => {
  const preview = await drawPlain(red, 8, 8).jpeg().toBuffer();
  for (const progressive of [true, false]) {
    const bytes = await drawPlain(red, 80, 60).jpeg({ progressive }).toBuffer();
    const expected = readJpegHeader(bytes);
    // The two bytes would be the length of a marker that has one.
    const behind = Buffer.concat([Buffer.of(0, 2), preview]);
    const wrapped = Buffer.concat([bytes.subarray(0, 2), toSegment(0xe5, preview), bytes.subarray(2), behind]);
    const facts = readJpegHeader(wrapped);
    assert.deepEqual([facts?.width, facts?.height, facts?.scans], [80, 60, expected?.scans]);
    const cut = Buffer.concat([bytes.subarray(0, 2), toSegment(0xe5, preview), bytes.subarray(2, -2)]);
    assert.equal(readJpegHeader(cut)?.isComplete, false, 'the end of the preview is not that of the picture');
  }
});

test('compressed text of a PNG is found, and only before its pixels', () => {
  const text = toChunk('zTXt', Buffer.alloc(9));
  const bytes = toSmallPng(green, [toChunk('gAMA', Buffer.alloc(4)), text]);
  const found = readPngHeader(Buffer.concat([bytes.subarray(0, -12), text, bytes.subarray(-12)]))?.compressedText;
  assert.deepEqual(
    found?.map(({ start, end }) => bytes.subarray(start, end)),
    [text],
  );
});

test('interlacing, depth and channels of a PNG are read, its transparent colour counted', async () => {
  const wide = await drawPlain(red).ensureAlpha().toColourspace('rgb16').png({ progressive: true }).toBuffer();
  const { isInterlaced, bitDepth, channels } = readPngHeader(wide) ?? {};
  assert.deepEqual([isInterlaced, bitDepth, channels], [true, 16, 4]);
  assert.equal(readPngHeader(toSmallPng(green, [toChunk('tRNS', Buffer.alloc(6))]))?.channels, 4);
});

test('an animated WebP has the larger of the sizes of its canvas and its first frame', async () => {
  const still = await drawPlain(red, 30, 20).webp({ lossless: true }).toBuffer();
  const { width, height, isAnimated } = readWebpHeader(makeAnimatedWebp(still, 2)) ?? {};
  assert.deepEqual([width, height, isAnimated], [30, 20, true]);
  const lossy = await drawPlain(red, 30, 20).ensureAlpha(0.5).webp().toBuffer();
  const facts = readWebpHeader(lossy);
  assert.deepEqual([facts?.isAnimated, facts?.channels], [false, 4]);
});

test('the first directory of a TIFF is read, in either layout', () => {
  const tiled = [...tinyPage, { tag: 322, type: 3, count: 1, value: 16 }, { tag: 323, type: 4, count: 1, value: 32 }];
  for (const isBig of [false, true]) {
    const { bitDepth, channels, block } = readTiffHeader(makeTiff(2, { isBig })) ?? {};
    assert.deepEqual([bitDepth, channels, block], [8, 1, { width: 1, height: 1 }]);
    assert.deepEqual(readTiffHeader(makeTiff(1, { entries: tiled, isBig }))?.block, { width: 16, height: 32 });
  }
});

test('values of a TIFF that lie beyond its end are taken as missing', () => {
  const entries = tinyPage.map((entry) => (entry.tag === 258 ? { ...entry, count: 3, value: 0xffff_fff0 } : entry));
  assert.equal(readTiffHeader(makeTiff(1, { entries }))?.bitDepth, 1);
});

test('depth, sampling and alpha of an AVIF are read', async () => {
  const picture = drawPlain(red, 48, 20);
  const plain = readAvifHeader(await picture.clone().avif({ effort: 0, chromaSubsampling: '4:2:0' }).toBuffer());
  assert.deepEqual(
    [plain?.bitDepth, plain?.channels, plain?.pictures.map(({ isSubsampled }) => isSubsampled)],
    [8, 3, [true]],
  );
  for (const bitdepth of [10, 12] as const) {
    const deep = await picture.clone().ensureAlpha(0.5).avif({ effort: 0, bitdepth }).toBuffer();
    const facts = readAvifHeader(deep);
    assert.deepEqual([facts?.bitDepth, facts?.channels], [bitdepth, 4]);
    assert.deepEqual(
      facts?.pictures.map(({ isAuxiliary, isMonochrome }) => [isAuxiliary, isMonochrome]),
      [
        [false, false],
        [true, true],
      ],
    );
  }
});

test('an AVIF whose container claims less than its coded data is taken at the larger', async () => {
  const bytes = await drawPlain(red, 480, 200).avif({ effort: 0, bitdepth: 12 }).toBuffer();
  const extents = bytes.indexOf('ispe') + 8;
  bytes.writeUInt32BE(16, extents);
  bytes.writeUInt32BE(16, extents + 4);
  // high_bitdepth and twelve_bit
  const flags = bytes.indexOf('av1C') + 6;
  bytes.writeUInt8(bytes.readUInt8(flags) & ~0x60, flags);
  const { width, height, bitDepth } = readAvifHeader(bytes) ?? {};
  assert.deepEqual([width, height, bitDepth], [480, 200, 12]);
});

test('code points of coded AV1 data are read, where it has any', () => {
  /** A reduced header of a still picture of 16 × 16 pixels, up to its code points. */
  const toUnit = (...colours: readonly string[]): Buffer => {
    const bits = ['000', '1', '1', '00000', '0011', '0011', '1111', '1111', '000', '000', '1', '0', ...colours].join(
      '',
    );
    const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => parseInt(byte.padEnd(8, '0'), 2));
    return Buffer.from([0x0a, bytes.length, ...bytes]);
  };
  const [hdr] = readAv1Stream(toUnit('1', '00001001', '00010000'), 0).sequences;
  assert.deepEqual(
    [hdr?.width, hdr?.height, hdr?.bitDepth, hdr?.codePoints],
    [16, 16, 10, { primaries: 9, transfer: 16 }],
  );
  const [plain] = readAv1Stream(toUnit('0', '00000000'), 0).sequences;
  assert.deepEqual([plain?.bitDepth, plain?.codePoints], [10, undefined]);
  assert.deepEqual(readAv1Stream(toUnit('1', '00001001'), 0).sequences, [], 'cut within its code points');
});
