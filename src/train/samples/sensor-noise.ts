import { toLight, toLuma, toPicture } from './light.ts';
import type { Picture } from './photos.ts';
import { createRandom, type Random } from './random.ts';

/** Noise of a camera's sensor and of the processing after it. */
export interface SensorNoise {
  /** Standard deviation at middle grey, in sRGB values, 0…255. */
  readonly deviation: number;
  /** Share of the variance that is read noise, independent of light. */
  readonly readShare: number;
  /** Share that is equal in all channels: 1 is grey grain, 0 coloured. */
  readonly greyShare: number;
  /** Pixels per grain, 1…3: demosaicing and noise reduction make grain coarse. */
  readonly grain: number;
}

/** sRGB values per unit of linear light at middle grey, which is light 0.2. */
const slope = 287;
const middleGrey = 0.2;
const tableSize = 1 << 16;

/** Adds shot and read noise in linear light. @returns the picture and the noise's root mean square in luma */
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

/** Every seventh pixel is enough for a root mean square. */
const sparse = 7;

/** Measures the root mean square of the difference in luma. */
function measureDifference(before: Picture, after: Picture): number {
  let sum = 0;
  let count = 0;
  for (let at = 0; at + 2 < before.pixels.length; at += 3 * sparse) {
    sum += (toLuma(after.pixels, at) - toLuma(before.pixels, at)) ** 2;
    count += 1;
  }
  return Math.sqrt(sum / Math.max(1, count));
}

/** Draws normally distributed values of variance 1, in grains of some pixels that blend into each other. */
function drawGrain(width: number, height: number, grain: number, random: Random): Float32Array {
  const [columns, rows] = [Math.ceil(width / grain) + 1, Math.ceil(height / grain) + 1];
  const values = new Float32Array(columns * rows);
  // Each row starts at a random place of the table, so that no repetition is visible.
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
      // Interpolation lowers the variance; the division restores it.
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

/** Normal draws (Box–Muller). A table is about thirty times faster than one draw per pixel. */
const table = Float32Array.from(
  { length: tableSize },
  (() => {
    const random = createRandom(0);
    return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  })(),
);
