import { toLight, toLuma, toPicture } from './light.ts';
import type { Picture } from './photos.ts';
import { createRandom, type Random } from './random.ts';

/** How a sensor and what is behind it disturb a picture. */
export interface SensorNoise {
  /** Standard deviation at middle grey, in values of sRGB, 0…255. */
  readonly deviation: number;
  /** Share of the variance that is there without light. */
  readonly readShare: number;
  /** Share that is the same in all colours: 1 is grey grain, 0 coloured. */
  readonly greyShare: number;
  /** Pixels that one grain covers, 1…3: demosaicing and noise reduction make it coarse. */
  readonly grain: number;
}

/** Values of sRGB that one unit of light makes at middle grey, of light 0.2. */
const slope = 287;
const middleGrey = 0.2;
const tableSize = 1 << 16;

/** Adds noise of light and of the sensor, in linear light. @returns what it is in luma, root mean square, too */
export function addNoise(picture: Picture, noise: SensorNoise, random: Random): { picture: Picture; rms: number } {
  const { light, width, height } = toLight(picture);
  const variance = (noise.deviation / slope) ** 2;
  const shot = (variance * (1 - noise.readShare)) / middleGrey;
  const read = variance * noise.readShare;
  const grey = drawGrain(width, height, noise.grain, random);
  const colours = [0, 1, 2].map(() => drawGrain(width, height, noise.grain, random));
  const [greyGain, colourGain] = [Math.sqrt(noise.greyShare), Math.sqrt(1 - noise.greyShare)];
  for (const [channel, colour] of colours.entries()) {
    for (let pixel = 0, at = channel; at < light.length; pixel += 1, at += 3) {
      const value = light[at] ?? 0;
      const draw = greyGain * (grey[pixel] ?? 0) + colourGain * (colour[pixel] ?? 0);
      light[at] = value + Math.sqrt(shot * value + read) * draw;
    }
  }
  const noisy = toPicture({ light, width, height });
  return { picture: noisy, rms: measureDifference(picture, noisy) };
}

/** One pixel of so many tells enough. */
const sparse = 7;

/** Root mean square of the difference in luma. */
function measureDifference(before: Picture, after: Picture): number {
  let sum = 0;
  let count = 0;
  for (let at = 0; at + 2 < before.pixels.length; at += 3 * sparse) {
    sum += (toLuma(after.pixels, at) - toLuma(before.pixels, at)) ** 2;
    count += 1;
  }
  return Math.sqrt(sum / Math.max(1, count));
}

/** Normally distributed, of variance 1, in grains of some pixels that blend into each other. */
function drawGrain(width: number, height: number, grain: number, random: Random): Float32Array {
  const [columns, rows] = [Math.ceil(width / grain) + 1, Math.ceil(height / grain) + 1];
  const values = new Float32Array(columns * rows);
  // A place of its own in the table for every row: the table is longer than the memory of an eye.
  for (let row = 0; row < rows; row += 1) {
    const from = Math.floor(random() * tableSize);
    for (let column = 0; column < columns; column += 1) {
      values[row * columns + column] = table[(from + column) & (tableSize - 1)] ?? 0;
    }
  }
  if (grain === 1) return cutOut(values, columns, width, height);
  const plane = new Float32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const top = Math.floor(y / grain);
    const down = y / grain - top;
    for (let x = 0; x < width; x += 1) {
      const left = Math.floor(x / grain);
      const right = x / grain - left;
      const at = top * columns + left;
      const upper = (values[at] ?? 0) * (1 - right) + (values[at + 1] ?? 0) * right;
      const lower = (values[at + columns] ?? 0) * (1 - right) + (values[at + columns + 1] ?? 0) * right;
      // Blending of neighbours takes variance away.
      const left2 = (1 - right) ** 2 + right ** 2;
      plane[y * width + x] = (upper * (1 - down) + lower * down) / Math.sqrt(left2 * ((1 - down) ** 2 + down ** 2));
    }
  }
  return plane;
}

function cutOut(values: Float32Array, columns: number, width: number, height: number): Float32Array {
  const plane = new Float32Array(width * height);
  for (let y = 0; y < height; y += 1) plane.set(values.subarray(y * columns, y * columns + width), y * width);
  return plane;
}

/** A table is some thirty times faster than drawing every sample anew (Box–Muller). */
const table = Float32Array.from(
  { length: tableSize },
  (() => {
    const random = createRandom(0);
    return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  })(),
);
