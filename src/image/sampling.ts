import { giveBytes, takeBytes } from './byte-pool.ts';
import { toTurned } from './framing.ts';
import { placeCentred, placeMirrored } from './placing.ts';
import { type SampledFrame, toSampledFrame } from './sampled-frame.ts';
import { planLine, type SampledLine, toMirrored, toReversed } from './sampled-line.ts';
import type { SampledShape, Size } from './types.ts';

/** How the pixels of a picture, as it was coded, become samples of the upright one. */
export interface SamplingPlan {
  /** Along the rows of the coded picture, and down its columns. */
  readonly columns: SampledLine;
  readonly rows: SampledLine;
  /** Whether `columns` run down the upright picture. */
  readonly isTurned: boolean;
  /** Of the samples. */
  readonly size: Size;
  readonly placement: SampledFrame['placement'];
}

/** EXIF orientations that mirror the horizontal and the vertical axis of the upright picture. */
const mirrorsAcross = new Set([2, 3, 6, 7]);
const mirrorsDown = new Set([3, 4, 7, 8]);

/**
 * Plans the samples of a picture in the upright one: where they lie must not depend on how it is stored.
 * @param orientation as EXIF counts, 1…8
 */
export function planSampling(coded: Size, orientation: number, shape: SampledShape): SamplingPlan {
  const isCodedTurned = orientation >= 5;
  const upright = isCodedTurned ? toTurned(coded) : coded;
  const { region, scale, placement } = toSampledFrame(upright, shape);
  const horizontal = planLine({ start: region.left, length: region.width, count: scale.width }, shape);
  const vertical = planLine({ start: region.top, length: region.height, count: scale.height }, shape);
  const across = mirrorsAcross.has(orientation) ? toMirrored(horizontal, upright.width) : horizontal;
  const down = mirrorsDown.has(orientation) ? toMirrored(vertical, upright.height) : vertical;
  // Turned clockwise, the first row is the last column.
  const isFrameTurned = placement?.isTurned === true;
  const last = isFrameTurned ? toReversed(down) : down;
  const [columns, rows] = isCodedTurned ? [last, across] : [across, last];
  const size = isFrameTurned ? toTurned(scale) : scale;
  return { columns, rows, isTurned: isCodedTurned !== isFrameTurned, size, placement };
}

/**
 * Samples pixels, each value to the nearest whole number.
 * @param pixels uint8 [height, width, 3], at least as large as the picture that was planned for
 * @param width of a row of `pixels`
 * @returns uint8 [plan.size.height, plan.size.width, 3], in memory from the pool
 */
export function samplePixels(pixels: Uint8Array, width: number, plan: SamplingPlan): Uint8Array {
  const { columns, rows, isTurned, size } = plan;
  const samples = takeBytes(size.width * size.height * 3);
  const [columnStep, rowStep] = isTurned ? [size.width * 3, 3] : [3, size.width * 3];
  for (let row = 0; row < rows.count; row += 1) {
    for (let column = 0; column < columns.count; column += 1) {
      const at = row * rowStep + column * columnStep;
      for (let channel = 0; channel < 3; channel += 1) {
        let sum = 0;
        for (let down = 0; down < rows.taps; down += 1) {
          const start = ((rows.firsts[row] ?? 0) + down) * width + (columns.firsts[column] ?? 0);
          let line = 0;
          for (let across = 0; across < columns.taps; across += 1) {
            const weight = columns.weights[column * columns.taps + across] ?? 0;
            line += weight * (pixels[(start + across) * 3 + channel] ?? 0);
          }
          sum += line * (rows.weights[row * rows.taps + down] ?? 0);
        }
        samples[at + channel] = Math.min(255, Math.max(0, Math.floor(sum + 0.5)));
      }
    }
  }
  return samples;
}

/** Puts samples where they go in the raster, which may be their own memory; nobody may use them any more. */
export function placeSamples(samples: Uint8Array, { size, placement }: SamplingPlan, shape: Size): Uint8Array {
  if (size.width === shape.width && size.height === shape.height) return samples;
  const raster = placement ? placeMirrored(samples, placement, shape) : placeCentred(samples, size, shape);
  giveBytes(samples);
  return raster;
}

/**
 * Samples a picture, as it was coded, for a raster.
 * @param pixels uint8 [coded.height, coded.width, 3]
 * @param orientation as EXIF counts, 1…8
 * @returns uint8 [shape.height, shape.width, 3], in memory from the pool
 */
export function sampleCoded(pixels: Uint8Array, coded: Size, orientation: number, shape: SampledShape): Uint8Array {
  const plan = planSampling(coded, orientation, shape);
  return placeSamples(samplePixels(pixels, coded.width, plan), plan, shape);
}
