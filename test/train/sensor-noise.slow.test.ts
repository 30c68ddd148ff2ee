import assert from 'node:assert/strict';
import test from 'node:test';
import type { Picture } from '../../src/train/samples/photos.ts';
import { createRandom } from '../../src/train/samples/random.ts';
import { addNoise, type SensorNoise } from '../../src/train/samples/sensor-noise.ts';

/** The sRGB value at which deviations are defined. */
const middleGrey = 124;
const fine: SensorNoise = { deviation: 10, readShare: 0.2, greyShare: 1, grain: 1 };

function makeGrey(value: number, side = 160): Picture {
  return { pixels: new Uint8Array(side * side * 3).fill(value), width: side, height: side };
}

function measureDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Draws one channel of a noisy grey picture. */
function drawChannel(value: number, noise: Partial<SensorNoise>, channel = 1): number[] {
  const { picture } = addNoise(makeGrey(value), { ...fine, ...noise }, createRandom(7));
  return [...picture.pixels].filter((_, at) => at % 3 === channel);
}

/** Measures the correlation of pixels with their left neighbours, -1…1. */
function measureLikeness(values: readonly number[], distance: number): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const of = (from: number, to: number) => ((values[from] ?? 0) - mean) * ((values[to] ?? 0) - mean);
  const pairs = values.map((_, at) => (at < distance ? 0 : of(at, at - distance)));
  const all = values.map((_, at) => of(at, at));
  return pairs.reduce((sum, value) => sum + value, 0) / all.reduce((sum, value) => sum + value, 0);
}

test('noise_has_the_requested_deviation_at_middle_grey', () => {
  for (const deviation of [2, 5, 10]) {
    const found = measureDeviation(drawChannel(middleGrey, { deviation }));
    assert.ok(Math.abs(found / deviation - 1) < 0.06, `${String(found)} for ${String(deviation)}`);
  }
});

test('grain_of_any_size_keeps_the_variance', () => {
  for (const grain of [1, 1.2, 1.5, 2, 2.2, 3]) {
    const found = measureDeviation(drawChannel(middleGrey, { grain }));
    assert.ok(Math.abs(found / fine.deviation - 1) < 0.08, `${String(found)} at a grain of ${String(grain)}`);
  }
});

test('coarse_grain_correlates_neighbours_and_fine_grain_does_not', () => {
  const measure = (grain: number, distance: number) => measureLikeness(drawChannel(middleGrey, { grain }), distance);
  assert.ok(Math.abs(measure(1, 1)) < 0.05);
  assert.ok(measure(2, 1) > 0.5);
  assert.ok(measure(3, 1) > measure(2, 1));
  assert.ok(Math.abs(measure(2, 9)) < 0.1);
});

test('noise_is_stronger_in_dark_parts', () => {
  const [dark = 0, middle = 0, bright = 0] = [45, middleGrey, 220].map((value) =>
    measureDeviation(drawChannel(value, {})),
  );
  assert.ok(dark > 1.1 * middle && middle > 1.1 * bright, [dark, middle, bright].join(' '));
});

test('black_pixels_have_read_noise_only', () => {
  assert.equal(measureDeviation(drawChannel(0, { readShare: 0 })), 0);
  assert.ok(measureDeviation(drawChannel(0, { readShare: 0.4 })) > 0);
});

test('grey_noise_is_the_same_in_all_colours_and_coloured_noise_is_not', () => {
  assert.deepEqual(drawChannel(middleGrey, { greyShare: 1 }, 0), drawChannel(middleGrey, { greyShare: 1 }, 2));
  const [red, blue] = [0, 2].map((channel) => drawChannel(middleGrey, { greyShare: 0 }, channel));
  assert.ok(red && blue);
  const apart = red.map((value, at) => value - (blue[at] ?? 0));
  assert.ok(Math.abs(measureDeviation(apart) / (fine.deviation * Math.SQRT2) - 1) < 0.08);
});

test('the_reported_noise_is_measured_in_luma', () => {
  const grey = addNoise(makeGrey(middleGrey), fine, createRandom(1)).rms;
  assert.ok(Math.abs(grey / fine.deviation - 1) < 0.08, String(grey));
  // Independent colours cancel each other: √(0.299² + 0.587² + 0.114²).
  const coloured = addNoise(makeGrey(middleGrey), { ...fine, greyShare: 0 }, createRandom(1)).rms;
  assert.ok(Math.abs(coloured / (0.669 * fine.deviation) - 1) < 0.08, String(coloured));
});

test('the_same_seed_gives_the_same_noise_and_the_input_is_unchanged', () => {
  const picture = makeGrey(middleGrey, 20);
  const draw = (seed: number) => addNoise(picture, { ...fine, grain: 1.5 }, createRandom(seed)).picture.pixels;
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  assert.ok(picture.pixels.every((value) => value === middleGrey));
});

test('a_picture_of_one_pixel_gets_noise', () => {
  for (const grain of [1, 2.2]) {
    const { picture, rms } = addNoise(makeGrey(middleGrey, 1), { ...fine, grain }, createRandom(1));
    assert.equal(picture.pixels.length, 3);
    assert.ok(Number.isFinite(rms));
  }
});
