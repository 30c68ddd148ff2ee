import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { measureImage } from '../../src/image/header.ts';
import { maxBoxes } from '../../src/image/header/boxes.ts';
import { readHeader } from '../../src/image/header/read-header.ts';
import type { ImageFormat } from '../../src/image/types.ts';
import { makeAnimatedWebp, makeGif, makeTiff, toBox, toFullBox } from './containers.ts';
import { assertRejects, blue, drawPlain, limits, pngSignature, red, toChunk, toPngHeader } from './fixtures.ts';

const still = await drawPlain(red, 1, 1).webp({ lossless: true }).toBuffer();
const avif = await drawPlain(red).avif({ effort: 0 }).toBuffer();

function framesOf(format: ImageFormat, bytes: Uint8Array): number | undefined {
  return readHeader(bytes, format).frames;
}

test('frames_of_a_GIF_and_of_a_WebP_are_counted', async () => {
  for (const frames of [1, 2, 7]) {
    assert.equal(framesOf('gif', makeGif(frames)), frames);
    assert.equal(framesOf('webp', makeAnimatedWebp(still, frames)), frames);
  }
  assert.equal(framesOf('webp', still), 0);
  for (const format of ['jpeg', 'tiff'] as const) {
    assert.equal(framesOf(format, await drawPlain(red).toFormat(format).toBuffer()), undefined);
  }
});

/** A PNG of chunks in their order; chunks after the pixels are never read. */
function makePng(...names: readonly string[]): Buffer {
  const chunks = names.map((name) => toChunk(name, Buffer.alloc(name === 'acTL' ? 8 : 26)));
  return Buffer.concat([pngSignature, toPngHeader(8, 8), ...chunks, toChunk('IEND')]);
}

const pngs: readonly (readonly [frames: number, chunks: readonly string[], about: string])[] = [
  [1, ['IDAT'], 'a still picture'],
  [1, ['acTL', 'fcTL', 'IDAT'], 'an animation of one frame'],
  [2, ['acTL', 'fcTL', 'IDAT', 'fcTL', 'fdAT'], 'an animation that begins with the still picture'],
  [2, ['acTL', 'IDAT', 'fcTL', 'fdAT'], 'one frame beside the still picture, which animations do not show'],
  [3, ['acTL', 'IDAT', 'IDAT', 'fcTL', 'fdAT', 'fcTL', 'fdAT'], 'two frames beside the still picture'],
  [1, ['fcTL', 'IDAT', 'fcTL', 'fdAT'], 'frames without the chunk that makes it an animation'],
  [1, ['IDAT', 'acTL', 'fcTL', 'fdAT', 'fcTL', 'fdAT'], 'an animation chunk behind the pixels, which decoders ignore'],
  [0, ['acTL', 'IDAT'], 'an animation without frames'],
];
for (const [frames, chunks, about] of pngs) {
  test(`a PNG counts ${String(frames)}: ${about}`, () => {
    assert.equal(framesOf('png', makePng(...chunks)), frames);
  });
}

test('frames_behind_the_end_of_a_PNG_do_not_count', () => {
  const bytes = Buffer.concat([makePng('acTL', 'fcTL', 'IDAT'), toChunk('fcTL', Buffer.alloc(26))]);
  assert.equal(framesOf('png', bytes), 1);
});

/** The boxes of a track with a table of this many samples. */
function makeTrack(samples: number, table = 'stsz'): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(samples, 4);
  return toBox('trak', toBox('mdia', toBox('minf', toBox('stbl', toFullBox(table, 0, numbers)))));
}

function withMovie(...boxes: readonly Buffer[]): Buffer {
  return Buffer.concat([avif, toBox('moov', ...boxes)]);
}

test('frames_of_an_AVIF_sequence_are_the_samples_of_its_longest_track', () => {
  assert.equal(framesOf('avif', avif), 1);
  assert.equal(framesOf('avif', withMovie(makeTrack(1))), 1);
  assert.equal(framesOf('avif', withMovie(makeTrack(5))), 5);
  assert.equal(framesOf('avif', withMovie(makeTrack(1), makeTrack(9, 'stz2'), makeTrack(3))), 9);
});

test('a_movie_that_says_nothing_of_samples_leaves_an_AVIF_the_still_picture_that_it_has', () => {
  assert.equal(framesOf('avif', withMovie()), 1);
  assert.equal(framesOf('avif', withMovie(toBox('trak', toBox('mdia')))), 1);
  for (const cut of [1, 4, 8, 12, 20]) {
    const bytes = withMovie(makeTrack(5));
    assert.equal(framesOf('avif', bytes.subarray(0, bytes.length - cut)), 1, `without the last ${String(cut)} bytes`);
  }
});

test('boxes_of_a_movie_are_counted_up_to_a_limit', async () => {
  const boxes = Buffer.concat(Array.from({ length: maxBoxes + 1 }, () => toBox('free')));
  await assertRejects(measureImage(withMovie(boxes), limits), 'ERR_IMAGE_TOO_COSTLY');
});

test('a_measured_picture_is_animated_from_two_frames_on', async () => {
  const colours = await Promise.all([red, blue].map((colour) => drawPlain(colour).png().toBuffer()));
  const animation = sharp(colours, { join: { animated: true } });
  const pictures: readonly (readonly [isAnimated: boolean, bytes: Buffer])[] = [
    [true, await animation.clone().gif().toBuffer()],
    [true, await animation.clone().webp().toBuffer()],
    [false, makeGif(1)],
    [false, makeAnimatedWebp(still, 1)],
    [false, avif],
    [false, makeTiff(3)],
    [false, await drawPlain(red).jpeg().toBuffer()],
    [false, await drawPlain(red).jpeg({ progressive: true }).toBuffer()],
    [false, await drawPlain(red).png().toBuffer()],
  ];
  for (const [index, [isAnimated, bytes]] of pictures.entries()) {
    assert.equal((await measureImage(bytes, limits)).isAnimated, isAnimated, String(index));
  }
});
