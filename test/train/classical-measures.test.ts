import assert from 'node:assert/strict';
import test from 'node:test';
import sharp, { type Sharp } from 'sharp';
import {
  classicalMeasures,
  createLuma,
  estimateNoise,
  type Luma,
  measureBlockiness,
  measureDeviation,
  measureLaplacianVariance,
  measureMean,
} from '../../src/train/evaluation/classical-measures.ts';
import { createRandom } from '../../src/train/samples/random.ts';
import { makePhoto } from '../fixtures/pictures.ts';

function draw(width: number, height: number, toValue: (x: number, y: number) => number): Luma {
  const values = Float32Array.from({ length: width * height }, (_, at) => toValue(at % width, Math.floor(at / width)));
  return { width, height, values };
}

async function decode(image: Buffer | Sharp): Promise<Luma> {
  const picture = Buffer.isBuffer(image) ? sharp(image) : image;
  const { data, info } = await picture.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return createLuma(data, info.width, info.height);
}

/** Adds Gaussian noise (Box–Muller) to a gradient, without clipping. */
function drawNoisy(sigma: number, seed = 1): Luma {
  const random = createRandom(seed);
  const toGauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return draw(200, 150, (x, y) => 60 + x / 4 + y / 3 + sigma * toGauss());
}

const flat = (level: number): Luma => draw(64, 48, () => level);

test('luma_weights_the_colours_as_bt_601_does', () => {
  const { values } = createLuma(Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255), 2, 2);
  const expected = [76.245, 149.685, 29.07, 255];
  for (const [at, value] of values.entries()) assert.ok(Math.abs(value - (expected[at] ?? NaN)) < 1e-3);
});

test('mean_and_deviation_match_the_pixels', () => {
  const half = draw(10, 10, (x) => (x < 5 ? 0 : 100));
  assert.equal(measureMean(half), 50);
  assert.equal(measureDeviation(half), 50);
  assert.equal(measureDeviation(flat(200)), 0);
});

test('the_laplacian_of_a_chessboard_is_known', () => {
  assert.equal(measureLaplacianVariance(draw(12, 12, (x, y) => ((x + y) % 2) * 10)), 40 ** 2);
  assert.equal(measureLaplacianVariance(draw(20, 10, (x, y) => 3 * x + y)), 0, 'a slope has no edge');
});

test('blur_lowers_the_variance_of_the_laplacian', async () => {
  const photo = await makePhoto();
  const variances: number[] = [];
  for (const sigma of [0.5, 1, 2, 4]) variances.push(measureLaplacianVariance(await decode(sharp(photo).blur(sigma))));
  assert.deepEqual(
    variances,
    [...variances].sort((a, b) => b - a),
  );
  assert.ok(measureLaplacianVariance(await decode(photo)) > 10 * (variances.at(-1) ?? NaN));
});

test('the_sigma_of_known_noise_is_recovered', () => {
  for (const sigma of [2, 5, 10, 25]) {
    const found = estimateNoise(drawNoisy(sigma));
    assert.ok(Math.abs(found / sigma - 1) < 0.15, `${String(found)}, expected ${String(sigma)}`);
  }
  assert.ok(estimateNoise(drawNoisy(0)) < 0.01, 'a slope is no noise');
});

test('compression_raises_blockiness', async () => {
  const photo = await sharp(await makePhoto())
    .png()
    .toBuffer();
  const blockiness: number[] = [];
  for (const quality of [95, 30, 5]) {
    blockiness.push(measureBlockiness(await decode(await sharp(photo).jpeg({ quality }).toBuffer())));
  }
  const [good = NaN, middling = NaN, bad = NaN] = blockiness;
  assert.ok(good < 1.2 && good < middling && middling < bad && bad > 2, blockiness.join(', '));
});

test('blockiness_is_measured_at_jpegs_block_borders', () => {
  const toBlocks = (shift: number) => draw(64, 64, (x, y) => 50 * ((((x + shift) >> 3) + ((y + shift) >> 3)) % 2));
  assert.ok(measureBlockiness(toBlocks(0)) > 100);
  assert.ok(measureBlockiness(toBlocks(3)) < 0.1);
  assert.equal(measureBlockiness(flat(128)), 1);
});

test('each_measure_rises_with_its_label', async () => {
  const photo = await makePhoto();
  const change = (alter: (picture: Sharp) => Sharp): Promise<Luma> => decode(alter(sharp(photo)));
  const good = await decode(photo);
  const bad = new Map([
    ['blurry', await change((picture) => picture.blur(3))],
    ['dark', await change((picture) => picture.linear(0.1, 0))],
    ['overexposed', await change((picture) => picture.linear(4, 60))],
    ['low_contrast', await change((picture) => picture.linear(0.1, 110))],
    ['noisy', draw(good.width, good.height, (x, y) => 100 + ((x * 7919 + y * 104_729) % 97))],
    ['blocky', await decode(await sharp(photo).jpeg({ quality: 5 }).toBuffer())],
    ['blank', flat(90)],
  ]);
  assert.deepEqual([...bad.keys()], [...classicalMeasures.keys()]);
  for (const [label, { measure }] of classicalMeasures) {
    const damaged = bad.get(label);
    assert.ok(damaged && measure(damaged) > measure(good), label);
  }
});

test('a_picture_of_one_pixel_has_finite_measures', () => {
  for (const [label, { measure }] of classicalMeasures) {
    for (const [width, height] of [
      [1, 1],
      [2, 1],
      [1, 9],
    ] as const) {
      assert.ok(Number.isFinite(measure(draw(width, height, () => 7))), label);
    }
  }
});
