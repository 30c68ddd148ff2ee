import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeImage } from '../../src/image/decode.ts';
import { toLongSidePlacement } from '../../src/image/framing.ts';
import type { Coordinates, SampledShape, SamplingKernel, Size } from '../../src/image/types.ts';
import { startTensorFlow } from '../fixtures/compile-models.ts';
import { assertRejects, drawNoise, drawPixels, limits, resizeModes, toNoise } from './fixtures.ts';
import { mirrorPixels, seen, turnClockwise } from './long-side.ts';
import { resizeByTensorFlow } from './tensorflow-resize.ts';

const kernels: readonly SamplingKernel[] = ['bilinear', 'bicubic', 'nearest'];
const allCoordinates: readonly Coordinates[] = ['half-pixel', 'align-corners', 'asymmetric'];
const tf = await startTensorFlow();

/** Larger, smaller, equal, one pixel, and ratios that are not whole. */
const sizes: readonly (readonly [Size, Size])[] = [
  [
    { width: 640, height: 427 },
    { width: 32, height: 24 },
  ],
  [
    { width: 97, height: 61 },
    { width: 40, height: 60 },
  ],
  [
    { width: 20, height: 13 },
    { width: 61, height: 47 },
  ],
  [
    { width: 64, height: 48 },
    { width: 32, height: 24 },
  ],
  [
    { width: 32, height: 24 },
    { width: 32, height: 24 },
  ],
  [
    { width: 1, height: 3 },
    { width: 5, height: 2 },
  ],
  [
    { width: 50, height: 40 },
    { width: 1, height: 1 },
  ],
];

function* listShapes(size: Size, resize: SampledShape['resize']): Generator<SampledShape> {
  for (const kernel of kernels) {
    for (const coordinates of allCoordinates) yield { ...size, resize, kernel, coordinates };
  }
}

function toAbout(from: Size, shape: SampledShape): string {
  const toText = ({ width, height }: Size): string => `${String(width)} × ${String(height)}`;
  return `${toText(from)} to ${toText(shape)}, ${shape.resize}, ${shape.kernel}, ${String(shape.coordinates)}`;
}

/** Values that differ by one are a half that was rounded to the other side. */
function assertSame(raster: Uint8Array, expected: Uint8Array, about: string): void {
  assert.equal(raster.length, expected.length, about);
  const differences = raster.map((value, at) => Math.abs(value - (expected[at] ?? NaN)));
  const others = differences.filter((difference) => difference > 0).length;
  assert.ok(Math.max(...differences) <= 1, `${about}: differs by ${String(Math.max(...differences))}`);
  assert.ok(others <= raster.length / 20 + 1, `${about}: ${String(others)} of ${String(raster.length)} differ`);
}

/** Cuts a part out of pixels. */
function cut(pixels: Uint8Array, from: Size, left: number, top: number, to: Size): Uint8Array {
  const part = new Uint8Array(to.width * to.height * 3);
  for (let row = 0; row < to.height; row += 1) {
    const start = ((row + top) * from.width + left) * 3;
    part.set(pixels.subarray(start, start + to.width * 3), row * to.width * 3);
  }
  return part;
}

test('the_samples_of_each_kernel_are_those_of_TensorFlow_wherever_they_lie', async () => {
  for (const [from, to] of sizes) {
    const picture = drawNoise(from.width, from.height);
    const [bytes, pixels] = [await picture.clone().png().toBuffer(), await picture.clone().raw().toBuffer()];
    for (const shape of listShapes(to, 'stretch')) {
      const raster = await decodeImage(bytes, shape, limits);
      assertSame(raster, resizeByTensorFlow(tf, pixels, from, shape), toAbout(from, shape));
    }
  }
});

test('a_picture_that_has_the_size_of_the_raster_keeps_its_pixels_whatever_samples_it', async () => {
  for (const kind of ['png', 'webp', 'jpeg', 'tiff', 'gif', 'avif'] as const) {
    const bytes = await drawNoise(48, 36).toFormat(kind).toBuffer();
    const pixels = await decodeImage(bytes, { width: 48, height: 36, resize: 'stretch' }, limits);
    for (const resize of resizeModes) {
      for (const shape of listShapes({ width: 48, height: 36 }, resize)) {
        assert.deepEqual(await decodeImage(bytes, shape, limits), pixels, `${kind}: ${toAbout(shape, shape)}`);
      }
    }
  }
});

test('cover_samples_the_part_that_Keras_cuts_out', async () => {
  for (const [from, left, top, part] of [
    [{ width: 101, height: 60 }, 20, 0, { width: 60, height: 60 }],
    [{ width: 30, height: 83 }, 0, 26, { width: 30, height: 30 }],
    [{ width: 4, height: 4000 }, 0, 1998, { width: 4, height: 4 }],
  ] as const) {
    const picture = drawNoise(from.width, from.height);
    const pixels = cut(await picture.clone().raw().toBuffer(), from, left, top, part);
    const bytes = await picture.clone().png().toBuffer();
    for (const shape of listShapes({ width: 16, height: 16 }, 'cover')) {
      const raster = await decodeImage(bytes, shape, limits);
      assertSame(raster, resizeByTensorFlow(tf, pixels, part, shape), toAbout(from, shape));
    }
  }
});

test('contain_pads_with_black_as_resize_with_pad_does', async () => {
  const from = { width: 90, height: 35 };
  const inside = { width: 32, height: 12 };
  const picture = drawNoise(from.width, from.height);
  const [bytes, pixels] = [await picture.clone().png().toBuffer(), await picture.clone().raw().toBuffer()];
  for (const shape of listShapes({ width: 32, height: 31 }, 'contain')) {
    const raster = await decodeImage(bytes, shape, limits);
    const samples = resizeByTensorFlow(tf, pixels, from, { ...shape, ...inside });
    assertSame(cut(raster, shape, 0, 9, inside), samples, toAbout(from, shape));
    const around = [...raster.subarray(0, 9 * 32 * 3), ...raster.subarray((9 + 12) * 32 * 3)];
    assert.ok(around.every((value) => value === 0));
  }
});

test('long_side_samples_the_upright_picture_then_turns_and_mirrors_it', async () => {
  for (const from of [
    { width: 200, height: 120 },
    { width: 70, height: 230 },
    { width: 20, height: 30 },
  ]) {
    const picture = drawNoise(from.width, from.height);
    const [bytes, pixels] = [await picture.clone().png().toBuffer(), await picture.clone().raw().toBuffer()];
    for (const shape of listShapes({ width: 64, height: 48 }, 'long-side')) {
      const { isTurned, ...placed } = toLongSidePlacement(from, shape);
      const upright = isTurned ? { width: placed.height, height: placed.width } : placed;
      const samples = resizeByTensorFlow(tf, pixels, from, { ...shape, ...upright });
      const turned = isTurned ? turnClockwise(samples, upright) : samples;
      const raster = await decodeImage(bytes, shape, limits);
      assertSame(raster, mirrorPixels(turned, placed, shape), toAbout(from, shape));
    }
  }
});

test('a_pattern_of_single_pixels_is_seen_by_a_kernel_that_samples_and_grey_to_a_filter', async () => {
  const bytes = await drawPixels(256, 256, (x) => (x % 4 === 2 ? [255, 255, 255] : [0, 0, 0]))
    .png()
    .toBuffer();
  const sampled = await decodeImage(bytes, { width: 64, height: 64, resize: 'stretch', kernel: 'nearest' }, limits);
  assert.ok(sampled.every((value) => value === 255));
  const filtered = await decodeImage(bytes, { width: 64, height: 64, resize: 'stretch' }, limits);
  assert.ok(filtered.every((value) => value > 40 && value < 90));
});

test('orientation_is_applied_before_the_samples_are_placed', async () => {
  const [width, height] = [83, 57];
  const last = { x: width - 1, y: height - 1 };
  const upright = await drawNoise(width, height).png().toBuffer();
  for (const [orientation, toSeen] of Object.entries(seen)) {
    const size: [number, number] = Number(orientation) < 5 ? [width, height] : [height, width];
    const stored = drawPixels(...size, (x, y) => toNoise(...toSeen(x, y, last)));
    const bytes = await stored
      .withMetadata({ orientation: Number(orientation) })
      .png()
      .toBuffer();
    for (const resize of resizeModes) {
      for (const shape of listShapes({ width: 20, height: 14 }, resize)) {
        const about = `orientation ${orientation}, ${toAbout({ width, height }, shape)}`;
        assertSame(await decodeImage(bytes, shape, limits), await decodeImage(upright, shape, limits), about);
      }
    }
  }
});

test('a_picture_that_takes_too_much_memory_at_its_full_size_is_refused_for_models_that_sample_only', async () => {
  const bytes = await drawNoise(2000, 1500).png().toBuffer();
  const shape = { width: 8, height: 8, resize: 'stretch' } as const;
  // Its 9 MB of pixels come on top of what reducing it takes.
  const tight = { ...limits, maxDecodeBytes: 24_000_000 };
  assert.equal((await decodeImage(bytes, shape, tight)).length, 192);
  const refused = await assertRejects(
    decodeImage(bytes, { ...shape, kernel: 'bilinear' }, tight),
    'ERR_IMAGE_TOO_COSTLY',
  );
  assert.match(refused.detail, /at most 24000000/);
});

test('what_is_damaged_or_truncated_is_refused_by_every_kernel', async () => {
  const png = await drawNoise(160, 120).png().toBuffer();
  const jpeg = await drawNoise(160, 120).jpeg().toBuffer();
  const scan = jpeg.indexOf(Buffer.of(0xff, 0xda)) + 14;
  const garbled = Buffer.from(jpeg);
  garbled.fill(0xaa, scan + 200, scan + 900);
  const damaged = { png: png.subarray(0, png.length / 2), jpeg: jpeg.subarray(0, jpeg.length / 2), garbled };
  for (const [kind, bytes] of Object.entries(damaged)) {
    for (const kernel of kernels) {
      const shape: SampledShape = { width: 16, height: 16, resize: 'cover', kernel };
      await assertRejects(decodeImage(bytes, shape, limits), 'ERR_IMAGE_CORRUPT', `${kind}, ${kernel}`);
    }
  }
});
