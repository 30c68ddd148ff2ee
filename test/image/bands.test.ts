import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { ServiceError } from '../../src/errors.ts';
import { processBands, toBandRows } from '../../src/image/bands.ts';
import { decodeImage } from '../../src/image/decode.ts';
import { samplePicture } from '../../src/image/sampled-picture.ts';
import type { SampledShape } from '../../src/image/types.ts';
import { drawNoise, limits, resizeModes, toChunk, toNoise } from './fixtures.ts';

const wanted = { assertWanted: () => undefined };

test('bands_cover_all_rows_once_and_other_events_are_handled_between_them', async () => {
  const order: string[] = [];
  const other = (): void => {
    order.push('event');
    if (order.length < 8) setImmediate(other);
  };
  setImmediate(other);
  await processBands(7, 3, wanted, (from, to) => order.push(`${String(from)} to ${String(to)}`));
  assert.deepEqual(order, ['0 to 3', 'event', '3 to 6', 'event', '6 to 7']);
  await processBands(0, 3, wanted, () => assert.fail('there is no row'));
  assert.deepEqual([toBandRows(100, 1000), toBandRows(2000, 1000)], [10, 1]);
});

test('bands_end_when_the_result_is_no_longer_wanted', async () => {
  const bands: number[] = [];
  const assertWanted = (): void => {
    if (bands.length === 2) throw new ServiceError('ERR_DEADLINE', 'the caller is gone');
  };
  await assert.rejects(
    processBands(9, 3, { assertWanted }, (from) => bands.push(from)),
    { code: 'ERR_DEADLINE' },
  );
  assert.deepEqual(bands, [0, 3]);
});

test('a_large_raster_is_sampled_while_the_thread_handles_other_events', async () => {
  const [width, height] = [64, 48];
  const samples = Uint8Array.from({ length: width * height * 3 }, (_, at) => toNoise(at, at >> 4)[at % 3] ?? 0);
  const shape: SampledShape = { width: 700, height: 500, resize: 'stretch', kernel: 'bicubic' };
  let events = 0;
  const count = (): void => {
    events += 1;
    pending = setImmediate(count);
  };
  let pending = setImmediate(count);
  const raster = await samplePicture({ samples, width, height, channels: 3 }, 1, shape, wanted);
  clearImmediate(pending);
  assert.ok(events >= 10, String(events));
  const small = await samplePicture({ samples, width, height, channels: 3 }, 1, { ...shape, height: 5 }, wanted);
  assert.deepEqual(raster.length, 700 * 500 * 3);
  assert.equal(small.length, 700 * 5 * 3);
});

/** Light as the square of what is stored. */
const gamma = toChunk('gAMA', Buffer.of(0, 0, 0xc3, 0x50));

test('of_a_picture_whose_colours_are_converted_the_samples_are_those_of_its_converted_pixels', async () => {
  const size = { width: 90, height: 61 };
  const opaque = drawNoise(size.width, size.height);
  const deep = opaque.clone().ensureAlpha(0.7).toColourspace('rgb16');
  for (const [name, picture] of Object.entries({ opaque, deep })) {
    const png = await picture.png().toBuffer();
    const stored = Buffer.concat([png.subarray(0, 33), gamma, png.subarray(33)]);
    const pixels = await decodeImage(stored, { ...size, resize: 'stretch' }, limits);
    const converted = await sharp(pixels, { raw: { ...size, channels: 3 } })
      .png()
      .toBuffer();
    assert.notDeepEqual(pixels, await decodeImage(png, { ...size, resize: 'stretch' }, limits), 'gAMA counts');
    for (const resize of resizeModes) {
      for (const kernel of ['bilinear', 'bicubic', 'nearest'] as const) {
        for (const side of [16, 300]) {
          const shape: SampledShape = { width: side, height: side - 3, resize, kernel };
          const about = `${name}, ${resize}, ${kernel}, ${String(side)}`;
          assert.deepEqual(
            await decodeImage(stored, shape, limits),
            await decodeImage(converted, shape, limits),
            about,
          );
        }
      }
    }
  }
});
