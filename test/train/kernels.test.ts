import assert from 'node:assert/strict';
import test from 'node:test';
import {
  convolve,
  drawMotion,
  type Kernel,
  measureSpread,
  toDisc,
  toGaussian,
} from '../../src/train/samples/kernels.ts';
import { type LightField, toLight, toLightValue } from '../../src/train/samples/light.ts';
import { createRandom } from '../../src/train/samples/random.ts';
import { blurPicture } from '../../src/train/samples/scenes.ts';

const kernels: readonly (readonly [string, Kernel])[] = [
  ['disc', toDisc(3.2)],
  ['small disc', toDisc(0.4)],
  ['gaussian', toGaussian(1.6)],
  ['motion', drawMotion(createRandom(3), 7)],
  ['short motion', drawMotion(createRandom(4), 0.3)],
];

function assertNear(found: number, expected: number, tolerance: number, message?: string): void {
  assert.ok(Math.abs(found - expected) <= tolerance, `${message ?? ''} ${String(found)}, expected ${String(expected)}`);
}

/** A white point on black. */
function makePoint(width: number, height: number): LightField {
  const light = new Float32Array(width * height * 3);
  const from = (Math.floor(height / 2) * width + Math.floor(width / 2)) * 3;
  return { light: light.fill(1, from, from + 3), width, height };
}

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

test('kernels_preserve_the_amount_of_light', () => {
  for (const [name, kernel] of kernels) assertNear(sum(kernel.map(({ weight }) => weight)), 1, 1e-9, name);
});

test('kernels_do_not_shift_the_picture', () => {
  for (const [name, kernel] of kernels) {
    // The varying speed of a motion may shift its centre by this much.
    const reach = name === 'motion' ? 1 : 0.2;
    assertNear(sum(kernel.map(({ x, weight }) => x * weight)), 0, reach, name);
    assertNear(sum(kernel.map(({ y, weight }) => y * weight)), 0, reach, name);
  }
});

test('a_kernel_has_the_requested_spread', () => {
  for (const spread of [1, 1.6, 3, 5]) {
    // The variance of a pixel itself is 1/12.
    assertNear(measureSpread(toDisc(2 * spread)), Math.hypot(spread, Math.sqrt(1 / 12)), 0.03 * spread, 'disc');
    assertNear(measureSpread(toGaussian(spread)), spread, 0.03 * spread, 'gaussian');
    const motions = Array.from({ length: 40 }, (_, stream) =>
      measureSpread(drawMotion(createRandom(1, stream), spread * Math.sqrt(12))),
    );
    assertNear(sum(motions) / motions.length, spread, 0.15 * spread, 'motion, the mean of many');
    for (const motion of motions) assertNear(motion, spread, 0.4 * spread, 'motion');
  }
});

test('motions_differ', () => {
  const drawn = Array.from({ length: 8 }, (_, stream) => JSON.stringify(drawMotion(createRandom(1, stream), 9)));
  assert.equal(new Set(drawn).size, drawn.length);
  assert.equal(JSON.stringify(drawMotion(createRandom(1, 0), 9)), drawn[0]);
});

test('uniform_light_is_unchanged_up_to_the_edges', () => {
  for (const [name, kernel] of kernels) {
    for (const [width, height] of [
      [9, 5],
      [1, 1],
      [2, 30],
    ] as const) {
      const light = new Float32Array(width * height * 3).fill(0.37);
      for (const value of convolve({ light, width, height }, kernel).light) assertNear(value, 0.37, 1e-6, name);
    }
  }
});

test('a_point_of_light_becomes_the_kernel', () => {
  for (const [name, kernel] of kernels) {
    const spread = convolve(makePoint(31, 31), kernel).light;
    // Convolution mirrors the kernel: light left of the point comes from its right.
    for (const { x, y, weight } of kernel) assertNear(spread[((15 - y) * 31 + 15 - x) * 3] ?? 0, weight, 1e-6, name);
    assertNear(sum(spread), 3, 1e-4, name);
  }
});

test('blur_preserves_light_rather_than_srgb_values', async () => {
  const { light, width, height } = makePoint(41, 41);
  const pixels = Uint8Array.from(light, (value) => 255 * value);
  for (const kind of ['disc', 'gaussian', 'motion'] as const) {
    const blurred = await blurPicture({ pixels, width, height }, { kind, spread: 1.5 }, createRandom(2));
    assertNear(sum(toLight(blurred.picture).light), 3, 0.15, `${kind}: light`);
    assert.ok(sum(blurred.picture.pixels) > 3 * 255 * 2, `${kind}: values`);
  }
});

test('a_blur_of_a_scaled_down_picture_has_the_reported_spread', async () => {
  const [width, height, edge] = [160, 40, 80];
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) =>
    Math.floor(at / 3) % width < edge ? 60 : 190,
  );
  const { picture, spread } = await blurPicture(
    { pixels, width, height },
    { kind: 'disc', spread: 6 },
    createRandom(1),
  );
  assertNear(spread, 6, 0.5);
  assert.deepEqual([picture.width, picture.height], [width, height]);
  // The derivative of an edge is the kernel's projection and has its variance.
  const row = picture.pixels.subarray(20 * width * 3, 21 * width * 3);
  const light = Array.from({ length: width }, (_, x) => toLightValue(row[x * 3] ?? 0));
  const steps = light.slice(1).map((value, x) => Math.max(0, value - (light[x] ?? 0)));
  const middle = sum(steps.map((step, x) => step * x)) / sum(steps);
  const variance = sum(steps.map((step, x) => step * (x - middle) ** 2)) / sum(steps);
  assertNear(Math.sqrt(variance), spread, 0.15 * spread);
});
