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

test('the_kind_of_a_JPEG_is_that_of_its_frame_header', () => {
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

test('scans_of_a_JPEG_are_counted_where_the_decoder_goes_over_them', async () => {
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

test('a_preview_in_the_header_and_pictures_behind_the_end_are_not_taken_for_the_picture', async () => {
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

test('compressed_text_of_a_PNG_is_found_and_only_before_its_pixels', () => {
  const text = toChunk('zTXt', Buffer.alloc(9));
  const bytes = toSmallPng(green, [toChunk('gAMA', Buffer.alloc(4)), text]);
  const found = readPngHeader(Buffer.concat([bytes.subarray(0, -12), text, bytes.subarray(-12)]))?.compressedText;
  assert.deepEqual(
    found?.map(({ start, end }) => bytes.subarray(start, end)),
    [text],
  );
});

test('interlacing_depth_and_channels_of_a_PNG_are_read_its_transparent_colour_counted', async () => {
  const wide = await drawPlain(red).ensureAlpha().toColourspace('rgb16').png({ progressive: true }).toBuffer();
  const { isInterlaced, bitDepth, channels } = readPngHeader(wide) ?? {};
  assert.deepEqual([isInterlaced, bitDepth, channels], [true, 16, 4]);
  assert.equal(readPngHeader(toSmallPng(green, [toChunk('tRNS', Buffer.alloc(6))]))?.channels, 4);
});

test('an_animated_WebP_has_the_larger_of_the_sizes_of_its_canvas_and_its_first_frame', async () => {
  const still = await drawPlain(red, 30, 20).webp({ lossless: true }).toBuffer();
  const { width, height, isAnimated } = readWebpHeader(makeAnimatedWebp(still, 2)) ?? {};
  assert.deepEqual([width, height, isAnimated], [30, 20, true]);
  const lossy = await drawPlain(red, 30, 20).ensureAlpha(0.5).webp().toBuffer();
  const facts = readWebpHeader(lossy);
  assert.deepEqual([facts?.isAnimated, facts?.channels], [false, 4]);
});

test('the_first_directory_of_a_TIFF_is_read_in_either_layout', () => {
  const tiled = [...tinyPage, { tag: 322, type: 3, count: 1, value: 16 }, { tag: 323, type: 4, count: 1, value: 32 }];
  for (const isBig of [false, true]) {
    const { bitDepth, channels, block } = readTiffHeader(makeTiff(2, { isBig })) ?? {};
    assert.deepEqual([bitDepth, channels, block], [8, 1, { width: 1, height: 1 }]);
    assert.deepEqual(readTiffHeader(makeTiff(1, { entries: tiled, isBig }))?.block, { width: 16, height: 32 });
  }
});

test('values_of_a_TIFF_that_lie_beyond_its_end_are_taken_as_missing', () => {
  const entries = tinyPage.map((entry) => (entry.tag === 258 ? { ...entry, count: 3, value: 0xffff_fff0 } : entry));
  assert.equal(readTiffHeader(makeTiff(1, { entries }))?.bitDepth, 1);
});

test('depth_sampling_and_alpha_of_an_AVIF_are_read', async () => {
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

test('an_AVIF_whose_container_claims_less_than_its_coded_data_is_taken_at_the_larger', async () => {
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

test('code_points_of_coded_AV1_data_are_read_where_it_has_any', () => {
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
