import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { decodeImage } from '../../src/image/decode.ts';
import { measureImage } from '../../src/image/header.ts';
import { toPlainDecode } from '../../src/image/native-jpeg.ts';
import { planSampling, type SamplingPlan } from '../../src/image/sampling.ts';
import type { SampledShape } from '../../src/image/types.ts';
import { getNativeLibrary, nativeFiles } from '../../src/native-library.ts';
import { assertRejects, drawNoise, limits, resizeModes } from './fixtures.ts';
import { hasNativeJpeg } from './native-library.ts';

interface Case {
  readonly about: string;
  readonly bytes: Buffer;
  readonly shape: SampledShape;
}

async function makeCases(): Promise<Case[]> {
  const cases: Case[] = [];
  for (const [width, height] of [
    [301, 211],
    [160, 301],
    [20, 13],
    [4, 300],
  ] as const) {
    for (let orientation = 1; orientation <= 8; orientation += 1) {
      const bytes = await drawNoise(width, height).withMetadata({ orientation }).jpeg({ quality: 90 }).toBuffer();
      for (const resize of resizeModes) {
        for (const kernel of ['bilinear', 'bicubic', 'nearest'] as const) {
          const coordinates = (['half-pixel', 'align-corners', 'asymmetric'] as const)[cases.length % 3];
          const about = `${String(width)} × ${String(height)}, ${String(orientation)}, ${resize}, ${kernel}`;
          const shape: SampledShape = { width: 61, height: 47, resize, kernel, ...(coordinates && { coordinates }) };
          cases.push({ about: `${about}, ${String(coordinates)}`, bytes, shape });
        }
      }
    }
  }
  const grey = await drawNoise(301, 211).greyscale().jpeg().toBuffer();
  cases.push({ about: 'grey', bytes: grey, shape: { width: 61, height: 47, resize: 'cover', kernel: 'bilinear' } });
  return cases;
}

test('the_addon_takes_the_samples_that_are_taken_of_the_pixels_of_sharp_in_every_mode_and_orientation', async (context) => {
  const cases = await makeCases();
  const bySharp = [];
  for (const { bytes, shape } of cases) bySharp.push(await decodeImage(bytes, shape, limits));
  if (!hasNativeJpeg(context)) return;
  for (const [index, { about, bytes, shape }] of cases.entries()) {
    const native: Uint8Array | undefined = await toPlainDecode(await measureImage(bytes, limits), shape)?.();
    const expected: Uint8Array | undefined = bySharp[index];
    assert.ok(native && expected, `${about} is not decoded natively`);
    assert.equal(native.length, expected.length, about);
    const differences = native.map((value, at) => Math.abs(value - (expected[at] ?? NaN)));
    assert.ok(Math.max(...differences) <= 1, `${about}: ${String(Math.max(...differences))}`);
  }
});

test('what_libjpeg_remarks_upon_is_given_back_for_sharp_to_judge', async (context) => {
  if (!hasNativeJpeg(context)) return;
  const shape: SampledShape = { width: 64, height: 64, resize: 'cover', kernel: 'bilinear' };
  const bytes = await drawNoise(160, 120).jpeg().toBuffer();
  const scan = bytes.indexOf(Buffer.of(0xff, 0xda)) + 14;
  const holed = Buffer.concat([bytes.subarray(0, scan + 200), bytes.subarray(-2)]);
  const decode = toPlainDecode(await measureImage(holed, limits), shape);
  assert.ok(decode);
  assert.equal(await decode(), undefined);
  await assertRejects(decodeImage(holed, shape, limits), 'ERR_IMAGE_CORRUPT');
});

test('the_fast_DCT_is_another_decode_of_a_plain_JPEG_and_nearly_the_same', async (context) => {
  if (!hasNativeJpeg(context)) return;
  const bytes = await drawNoise(160, 120).jpeg({ quality: 90 }).toBuffer();
  const shape: SampledShape = { width: 160, height: 120, resize: 'stretch', kernel: 'nearest' };
  const accurate = await decodeImage(bytes, shape, limits);
  const fast = await decodeImage(bytes, { ...shape, jpegDct: 'fast' }, limits);
  const differences = fast.map((value, at) => Math.abs(value - (accurate[at] ?? NaN)));
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
  assert.ok(mean > 0 && mean < 2, String(mean));
});

test('a_plain_JPEG_counts_with_all_of_its_pixels_where_it_is_sampled', async (context) => {
  if (!hasNativeJpeg(context)) return;
  const bytes = await drawNoise(400, 300).jpeg().toBuffer();
  const shape = { width: 16, height: 16, resize: 'stretch' } as const;
  const tight = { ...limits, maxDecodeBytes: 359_999 };
  assert.equal((await decodeImage(bytes, shape, tight)).length, 768);
  await assertRejects(decodeImage(bytes, { ...shape, kernel: 'nearest' }, tight), 'ERR_IMAGE_TOO_COSTLY');
  const enough = { ...limits, maxDecodeBytes: 360_000 };
  assert.equal((await decodeImage(bytes, { ...shape, kernel: 'nearest' }, enough)).length, 768);
});

test('the_addon_refuses_samples_that_are_not_of_the_picture', async (context) => {
  if (!hasNativeJpeg(context)) return;
  const { makeRaster } = createRequire(import.meta.url)(path.join(getNativeLibrary(), nativeFiles.jpeg)) as {
    readonly makeRaster: (bytes: Uint8Array, plan: object, pixels: Uint8Array, sampling: unknown) => Promise<boolean>;
  };
  const bytes = await drawNoise(40, 30).jpeg().toBuffer();
  const sampling = planSampling({ width: 40, height: 30 }, 1, {
    width: 8,
    height: 6,
    resize: 'stretch',
    kernel: 'bilinear',
  });
  const plan = { codedWidth: 40, codedHeight: 30, ratio: 1, columns: 8, rows: 6, columnShrink: 1, rowShrink: 1 };
  const make = (change: Partial<SamplingPlan> | string, planned: object = {}): Promise<boolean> => {
    const pixels = new Uint8Array(8 * 6 * 3);
    const given = typeof change === 'string' ? change : { ...sampling, isFastDct: false, ...change };
    return makeRaster(bytes, { ...plan, orientation: 1, ...planned }, pixels, given);
  };
  assert.equal(await make({}), true);
  const { columns } = sampling;
  const before = { ...columns, firsts: columns.firsts.map((first, index) => (index === 3 ? -1 : first)) };
  const behind = { ...columns, firsts: columns.firsts.map((first, index) => (index === 3 ? 39 : first)) };
  const few = { ...columns, firsts: columns.firsts.subarray(1), weights: columns.weights.subarray(2) };
  const uneven = { ...columns, weights: columns.weights.subarray(1) };
  const none = { ...columns, weights: new Float32Array() };
  for (const line of [before, behind, few, uneven, none]) assert.throws(() => make({ columns: line }), TypeError);
  assert.throws(() => make({ rows: columns }), TypeError, 'of the other side');
  assert.throws(() => make('columns'), TypeError);
  assert.throws(() => make({}, { ratio: 2 }), TypeError, 'of a picture that is reduced');
  assert.throws(() => make({}, { codedWidth: 20 }), TypeError, 'of a larger picture');
});
