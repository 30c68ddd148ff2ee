import type { LightField } from './light.ts';
import type { Random } from './random.ts';
import { drawBetween } from './random.ts';

/** A convolution kernel as a list of taps; the weights add up to 1. */
export type Kernel = readonly Tap[];

interface Tap {
  readonly x: number;
  readonly y: number;
  readonly weight: number;
}

const subsamples = 5;

/** Builds the kernel of a defocused lens: a uniform disc. @param radius in pixels */
export function toDisc(radius: number): Kernel {
  const reach = Math.ceil(radius);
  const weights = new Map<string, Tap>();
  for (let y = -reach; y <= reach; y += 1) {
    for (let x = -reach; x <= reach; x += 1) {
      let inside = 0;
      for (let sub = 0; sub < subsamples ** 2; sub += 1) {
        const across = x + ((sub % subsamples) + 0.5) / subsamples - 0.5;
        const down = y + (Math.floor(sub / subsamples) + 0.5) / subsamples - 0.5;
        if (Math.hypot(across, down) <= radius) inside += 1;
      }
      if (inside > 0) addTap(weights, x, y, inside);
    }
  }
  return normaliseKernel(weights);
}

/** Builds a Gaussian kernel, the blur of image editors. @param spread its standard deviation in pixels */
export function toGaussian(spread: number): Kernel {
  const reach = Math.ceil(3 * spread);
  const weights = new Map<string, Tap>();
  for (let y = -reach; y <= reach; y += 1) {
    for (let x = -reach; x <= reach; x += 1) addTap(weights, x, y, Math.exp(-(x ** 2 + y ** 2) / (2 * spread ** 2)));
  }
  return normaliseKernel(weights);
}

/** Draws the kernel of camera shake: a curved path of varying speed. @param length in pixels */
export function drawMotion(random: Random, length: number): Kernel {
  const weights = new Map<string, Tap>();
  const points = Math.max(2, Math.ceil(length * 4));
  const bend = (drawBetween(random, -1, 1) * Math.PI) / 2;
  const pace = drawBetween(random, -0.8, 0.8);
  let angle = random() * 2 * Math.PI;
  let [x, y] = [0, 0];
  const path: { readonly x: number; readonly y: number; readonly time: number }[] = [];
  for (let point = 0; point < points; point += 1) {
    path.push({ x, y, time: 1 + pace * ((2 * point) / points - 1) });
    x += (Math.cos(angle) * length) / points;
    y += (Math.sin(angle) * length) / points;
    angle += bend / points + drawBetween(random, -0.15, 0.15);
  }
  // Centred, so that the kernel doesn't shift the picture.
  const [middleX, middleY] = [mean(path.map((point) => point.x)), mean(path.map((point) => point.y))];
  for (const point of path) splat(weights, point.x - middleX, point.y - middleY, point.time);
  return normaliseKernel(weights);
}

/** Measures a kernel's spread: its standard deviation in pixels, in the direction in which it is largest. */
export function measureSpread(kernel: Kernel): number {
  const moment = (of: (tap: Tap) => number): number => kernel.reduce((sum, tap) => sum + tap.weight * of(tap), 0);
  const [meanX, meanY] = [moment(({ x }) => x), moment(({ y }) => y)];
  const across = moment(({ x }) => (x - meanX) ** 2);
  const down = moment(({ y }) => (y - meanY) ** 2);
  const both = moment(({ x, y }) => (x - meanX) * (y - meanY));
  return Math.sqrt((across + down) / 2 + Math.hypot((across - down) / 2, both));
}

/** Convolves with a kernel; pixels at the edges are repeated beyond them. */
export function convolve({ light, width, height }: LightField, kernel: Kernel): LightField {
  const reach = Math.max(0, ...kernel.map(({ x, y }) => Math.max(Math.abs(x), Math.abs(y))));
  const padded = padEdges(light, width, height, reach);
  const [row, paddedRow] = [width * 3, (width + 2 * reach) * 3];
  const spread = new Float32Array(light.length);
  for (let y = 0; y < height; y += 1) {
    const into = spread.subarray(y * row, (y + 1) * row);
    for (const tap of kernel) {
      const from = (y + reach + tap.y) * paddedRow + (reach + tap.x) * 3;
      const { weight } = tap;
      for (let at = 0; at < row; at += 1) into[at] = (into[at] ?? 0) + weight * (padded[from + at] ?? 0);
    }
  }
  return { light: spread, width, height };
}

function padEdges(light: Float32Array, width: number, height: number, reach: number): Float32Array {
  const row = (width + 2 * reach) * 3;
  const padded = new Float32Array(row * (height + 2 * reach));
  for (let y = 0; y < height + 2 * reach; y += 1) {
    const from = Math.min(height - 1, Math.max(0, y - reach)) * width * 3;
    padded.set(light.subarray(from, from + width * 3), y * row + reach * 3);
    for (let x = 0; x < reach; x += 1) {
      padded.set(light.subarray(from, from + 3), y * row + x * 3);
      padded.set(light.subarray(from + (width - 1) * 3, from + width * 3), y * row + (width + reach + x) * 3);
    }
  }
  return padded;
}

function splat(weights: Map<string, Tap>, x: number, y: number, weight: number): void {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, down] = [x - left, y - top];
  addTap(weights, left, top, weight * (1 - right) * (1 - down));
  addTap(weights, left + 1, top, weight * right * (1 - down));
  addTap(weights, left, top + 1, weight * (1 - right) * down);
  addTap(weights, left + 1, top + 1, weight * right * down);
}

function addTap(weights: Map<string, Tap>, x: number, y: number, weight: number): void {
  const key = `${String(x)} ${String(y)}`;
  weights.set(key, { x, y, weight: weight + (weights.get(key)?.weight ?? 0) });
}

function normaliseKernel(weights: ReadonlyMap<string, Tap>): Kernel {
  const taps = [...weights.values()].filter(({ weight }) => weight > 0);
  const sum = taps.reduce((total, { weight }) => total + weight, 0);
  return taps.map((tap) => ({ ...tap, weight: tap.weight / sum }));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
