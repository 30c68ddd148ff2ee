import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceError } from '../../src/errors.ts';
import { readJpegHeader } from '../../src/image/header/jpeg.ts';
import { type HeaderFacts, readHeader } from '../../src/image/header/read-header.ts';
import { sniffFormat } from '../../src/image/sniff.ts';
import { makeAnimatedWebp, makeGif, makeTiff } from './containers.ts';
import { drawPlain, red } from './fixtures.ts';

function read(bytes: Uint8Array): HeaderFacts {
  const format = sniffFormat(bytes);
  assert.ok(format);
  return readHeader(bytes, format);
}

/** One picture, or a few, of each format. */
async function makeAll(): Promise<Record<string, Buffer>> {
  const picture = drawPlain(red, 48, 20);
  const still = await drawPlain(red, 1, 1).webp({ lossless: true }).toBuffer();
  return {
    jpeg: await picture.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    progressive: await picture.clone().jpeg({ progressive: true }).toBuffer(),
    png: await picture.clone().png().toBuffer(),
    webp: await picture.clone().webp().toBuffer(),
    lossless: await picture.clone().ensureAlpha(0.5).webp({ lossless: true }).toBuffer(),
    animation: makeAnimatedWebp(still, 3),
    gif: makeGif(3),
    tiff: await picture.clone().tiff().toBuffer(),
    pages: makeTiff(3),
    bigTiff: makeTiff(2, { isBig: true }),
    avif: await picture.clone().ensureAlpha(0.5).avif({ effort: 0 }).toBuffer(),
  };
}

/** Reads what may be damaged: facts, or an error for the client, and nothing else. */
function assertBounded(bytes: Uint8Array, about: string): HeaderFacts | undefined {
  const format = sniffFormat(bytes);
  if (format === undefined) return undefined;
  try {
    return readHeader(bytes, format);
  } catch (thrown) {
    assert.ok(thrown instanceof ServiceError, `${about}: ${String(thrown)}`);
    assert.ok(['ERR_IMAGE_CORRUPT', 'ERR_IMAGE_TOO_COSTLY'].includes(thrown.code), about);
    return undefined;
  }
}

test('size_depth_and_channels_are_read_of_every_format', async () => {
  const files = await makeAll();
  const facts = Object.entries(files).map(([name, bytes]) => {
    const { width, height, bitDepth, channels } = read(bytes);
    return [name, width, height, bitDepth, channels];
  });
  assert.deepEqual(facts, [
    ['jpeg', 48, 20, 8, 3],
    ['progressive', 48, 20, 8, 3],
    ['png', 48, 20, 8, 3],
    ['webp', 48, 20, 8, 3],
    ['lossless', 48, 20, 8, 4],
    ['animation', 1, 1, 8, 3],
    ['gif', 2, 2, 8, 4],
    ['tiff', 48, 20, 8, 3],
    ['pages', 1, 1, 8, 1],
    ['bigTiff', 1, 1, 8, 1],
    ['avif', 48, 20, 8, 4],
  ]);
});

test('a_file_that_ends_at_any_byte_is_read_as_far_as_it_goes_or_refused', async () => {
  for (const [name, bytes] of Object.entries(await makeAll())) {
    for (let end = 0; end < bytes.length; end += 1) {
      assertBounded(bytes.subarray(0, end), `${name} of ${String(end)} bytes`);
    }
  }
});

test('a_JPEG_that_is_cut_off_anywhere_is_not_complete', async () => {
  const bytes = await drawPlain(red, 48, 20).jpeg({ progressive: true }).toBuffer();
  assert.equal(readJpegHeader(bytes)?.isComplete, true);
  for (let end = 0; end < bytes.length; end += 1) {
    assert.notEqual(readJpegHeader(bytes.subarray(0, end))?.isComplete, true, `${String(end)} bytes`);
  }
});

test('a_file_with_changed_bytes_is_read_or_refused', async () => {
  let state = 1;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const odd = [0, 1, 0x7f, 0x80, 0xff];
  for (const [name, bytes] of Object.entries(await makeAll())) {
    for (let round = 0; round < 400; round += 1) {
      const changed = Buffer.from(bytes);
      for (let left = 1 + draw(4); left > 0; left -= 1) {
        const value = draw(2) === 0 ? draw(256) : odd[draw(odd.length)];
        changed[draw(Math.min(changed.length, 600))] = value ?? 0;
      }
      assertBounded(changed, `${name}, round ${String(round)}: ${changed.subarray(0, 600).toString('hex')}`);
    }
  }
});

test('a_view_into_a_larger_buffer_is_read_from_where_it_begins_up_to_its_end', async () => {
  for (const [name, bytes] of Object.entries(await makeAll())) {
    const larger = new Uint8Array(bytes.length + 40).fill(0xff);
    larger.set(bytes, 13);
    assert.deepEqual(read(larger.subarray(13, 13 + bytes.length)), read(bytes), name);
  }
});

test('the_header_of_a_picture_with_nothing_but_a_magic_is_refused', () => {
  for (const magic of ['\xff\xd8\xff', '\x89PNG\r\n\x1a\n', 'GIF89a', 'RIFF\x08\0\0\0WEBP', 'II*\0', 'MM\0+']) {
    const bytes = Buffer.from(magic, 'latin1');
    const format = sniffFormat(bytes);
    assert.ok(format);
    assert.throws(() => readHeader(bytes, format), { code: 'ERR_IMAGE_CORRUPT' });
  }
});
