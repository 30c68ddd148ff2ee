import { giveBytes } from './byte-pool.ts';
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

/** Places samples in the raster, which may be their own memory. The caller must not use `samples` afterwards. */
export function placeSamples(samples: Uint8Array, { size, placement }: SamplingPlan, shape: Size): Uint8Array {
  if (size.width === shape.width && size.height === shape.height) return samples;
  const raster = placement ? placeMirrored(samples, placement, shape) : placeCentred(samples, size, shape);
  giveBytes(samples);
  return raster;
}
