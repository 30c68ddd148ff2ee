import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureImage } from '../../src/image/header.ts';
import { maxBoxes } from '../../src/image/header/boxes.ts';
import { maxGifFrames } from '../../src/image/header/gif.ts';
import { maxItemParts, maxItems } from '../../src/image/header/heif-items.ts';
import { maxSegments } from '../../src/image/header/jpeg.ts';
import { maxChunks, maxChunksBeforePixels } from '../../src/image/header/png.ts';
import { readHeader } from '../../src/image/header/read-header.ts';
import { maxUnits } from '../../src/image/header/sequence-header.ts';
import { maxDirectories } from '../../src/image/header/tiff-directories.ts';
import { maxEntries } from '../../src/image/header/tiff-fields.ts';
import { maxWebpChunks, maxWebpFrames } from '../../src/image/header/webp.ts';
import type { ImageFormat } from '../../src/image/types.ts';
import {
  makeAnimatedWebp,
  makeGif,
  makeTiff,
  tinyPage,
  toBox,
  toDirectory,
  toFullBox,
  toRiff,
  toRiffChunk,
  toSegment,
} from './containers.ts';
import { assertRejects, drawPlain, green, limits, red, toChunk, toSmallPng } from './fixtures.ts';

/** Repeats a part. */
function repeat(part: Buffer, times: number): Buffer {
  return Buffer.alloc(part.length * times, part);
}

/** Fails unless a file is refused, by the pass over its header alone and in a sentence that names the parts and the limit. */
async function assertTooMany(format: ImageFormat, bytes: Buffer, parts: string): Promise<void> {
  assert.throws(() => readHeader(bytes, format), { code: 'ERR_IMAGE_TOO_COSTLY' });
  const { detail } = await assertRejects(measureImage(bytes, limits), 'ERR_IMAGE_TOO_COSTLY', parts);
  assert.ok(detail.endsWith(parts), detail);
}

test('frames_of_an_animation_are_counted_up_to_a_limit', async () => {
  assert.equal(readHeader(makeGif(maxGifFrames), 'gif').width, 2);
  await assertTooMany('gif', makeGif(maxGifFrames + 1), `more than ${String(maxGifFrames)} frames`);
  const still = await drawPlain(red, 1, 1).webp({ lossless: true }).toBuffer();
  assert.equal(readHeader(makeAnimatedWebp(still, maxWebpFrames), 'webp').width, 1);
  await assertTooMany('webp', makeAnimatedWebp(still, maxWebpFrames + 1), `more than ${String(maxWebpFrames)} frames`);
  const others = toRiff([repeat(toRiffChunk('XXXX', Buffer.alloc(0)), maxWebpChunks + 1)]);
  await assertTooMany('webp', others, `more than ${String(maxWebpChunks)} chunks`);
});

test('segments_of_a_JPEG_are_counted_up_to_a_limit_in_its_header_and_between_its_scans', async () => {
  const sequential = await drawPlain(red).jpeg().toBuffer();
  const comments = repeat(toSegment(0xfe), maxSegments);
  const between = Buffer.concat([sequential.subarray(0, 2), comments, sequential.subarray(2)]);
  await assertTooMany('jpeg', between, `more than ${String(maxSegments)} segments`);
  const progressive = await drawPlain(red).jpeg({ progressive: true }).toBuffer();
  const behind = Buffer.concat([progressive.subarray(0, -2), comments, progressive.subarray(-2)]);
  await assertTooMany('jpeg', behind, `more than ${String(maxSegments)} segments`);
});

test('chunks_of_a_PNG_are_counted_up_to_a_limit_and_up_to_a_lower_one_before_its_pixels', async () => {
  const time = toChunk('tIME', Buffer.alloc(7));
  // The header is a chunk, too.
  const most = toSmallPng(green, [repeat(time, maxChunksBeforePixels - 1)]);
  assert.equal(readHeader(most, 'png').width, 8);
  const parts = `more than ${String(maxChunksBeforePixels)} chunks before its pixels`;
  await assertTooMany('png', toSmallPng(green, [repeat(time, maxChunksBeforePixels)]), parts);
  await assertTooMany('png', toSmallPng(green, [repeat(toChunk('zTXt'), 437_000)]), parts);
  const pixels = toSmallPng(green, [repeat(toChunk('IDAT'), maxChunks)]);
  await assertTooMany('png', pixels, `more than ${String(maxChunks)} chunks`);
});

test('directories_of_a_TIFF_and_their_entries_are_counted_up_to_a_limit', async () => {
  assert.equal(readHeader(makeTiff(maxDirectories), 'tiff').width, 1);
  await assertTooMany('tiff', makeTiff(maxDirectories + 1), `more than ${String(maxDirectories)} directories`);
  const entries = [
    ...tinyPage,
    ...Array.from({ length: maxEntries }, () => ({ tag: 65_000, type: 3, count: 1, value: 0 })),
  ];
  await assertTooMany('tiff', makeTiff(1, { entries }), `more than ${String(maxEntries)} entries in a directory`);
  const long = entries.slice(0, maxEntries);
  await assertTooMany('tiff', makeTiff(60, { entries: long }), 'entries in its directories');
});

test('directories_that_make_a_ring_are_each_read_once', () => {
  const { length } = toDirectory(tinyPage, 0);
  for (const lastNext of [8, 8 + length, 8 + 2 * length]) {
    assert.equal(readHeader(makeTiff(3, { lastNext }), 'tiff').width, 1);
  }
  assert.equal(readHeader(makeTiff(2, { isBig: true, lastNext: 16 }), 'tiff').width, 1);
});

/** The boxes that an AVIF begins with; its items follow from `content` of the box meta. */
function makeAvif(...content: readonly Uint8Array[]): Buffer {
  return Buffer.concat([toBox('ftyp', Buffer.from('avif\0\0\0\0mif1', 'latin1')), toFullBox('meta', 0, ...content)]);
}

function toItem(id: number, type: string): Buffer {
  return toFullBox('infe', 2, Buffer.of(id >> 8, id & 255, 0, 0), Buffer.from(`${type}\0`, 'latin1'));
}

function toItems(...items: readonly Buffer[]): Buffer {
  return toFullBox('iinf', 0, Buffer.of(items.length >> 8, items.length & 255), ...items);
}

test('boxes_items_and_their_parts_of_an_AVIF_are_counted_up_to_a_limit', async () => {
  const boxes = repeat(toBox('free'), maxBoxes);
  await assertTooMany('avif', Buffer.concat([makeAvif(), boxes]), `more than ${String(maxBoxes)} boxes`);
  await assertTooMany('avif', makeAvif(boxes, toBox('free')), `more than ${String(maxBoxes)} boxes`);
  const items = Array.from({ length: maxItems + 1 }, (_, id) => toItem(id, 'av01'));
  await assertTooMany('avif', makeAvif(toItems(...items)), `more than ${String(maxItems)} items`);
  const references = toBox('dimg', Buffer.of(0, 1, 0x4e, 0x21), Buffer.alloc(2 * 20_001));
  await assertTooMany('avif', makeAvif(toFullBox('iref', 0, references)), `more than ${String(maxItemParts)} parts`);
});

test('pieces_of_data_that_overlap_do_not_add_up_to_more_than_the_file', async () => {
  const extents = Buffer.concat([
    Buffer.of(0x44, 0, 0, 1, 0, 1, 0, 0, 0, 9),
    repeat(Buffer.of(0, 0, 0, 0, 0, 0, 0, 200), 9),
  ]);
  const bytes = Buffer.concat([makeAvif(toItems(toItem(1, 'av01')), toFullBox('iloc', 0, extents)), Buffer.alloc(100)]);
  await assertTooMany('avif', bytes, `more than ${String(bytes.length)} bytes in pieces`);
});

test('units_of_AV1_data_are_counted_up_to_a_limit_those_of_all_items_together', async () => {
  const place = Buffer.of(0x44, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  const items = [toItems(toItem(1, 'av01')), toFullBox('iloc', 0, place)];
  place.writeUInt32BE(makeAvif(...items).length, 10);
  const head = makeAvif(toItems(toItem(1, 'av01')), toFullBox('iloc', 0, place));
  // Temporal delimiters of no length.
  const units = repeat(Buffer.of(0x12, 0), maxUnits + 1);
  await assertTooMany('avif', Buffer.concat([head, units]), `more than ${String(maxUnits)} units of AV1 data`);
});
