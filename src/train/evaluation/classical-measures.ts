import { toLuma } from '../samples/light.ts';

/** Luma of a picture: float32 [height, width], 0…255. */
export interface Luma {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** A measure that is thresholded in place of a model. */
export interface ClassicalMeasure {
  readonly name: string;
  /** Higher values mean more of the label's fault. */
  readonly measure: (luma: Luma) => number;
}

/** Classical measures by label. */
export const classicalMeasures: ReadonlyMap<string, ClassicalMeasure> = new Map([
  ['blurry', { name: 'variance of the Laplacian', measure: (luma) => -measureLaplacianVariance(luma) }],
  ['dark', { name: 'mean luminance', measure: (luma) => -measureMean(luma) }],
  ['overexposed', { name: 'mean luminance', measure: measureMean }],
  ['low_contrast', { name: 'standard deviation', measure: (luma) => -measureDeviation(luma) }],
  ['noisy', { name: "Immerkær's noise estimate", measure: estimateNoise }],
  ['blocky', { name: '8×8 boundary differences', measure: measureBlockiness }],
  ['blank', { name: 'standard deviation', measure: (luma) => -measureDeviation(luma) }],
]);

/** Side of JPEG's blocks. */
const blockSide = 8;
/** Grey levels added to both means, so that flat blocks don't divide by zero. */
const leastDifference = 0.01;

/**
 * Converts pixels to luma (ITU-R BT.601, as OpenCV's COLOR_RGB2GRAY).
 * @param raster uint8 [height, width, 3]
 */
export function createLuma(raster: Uint8Array, width: number, height: number): Luma {
  const values = new Float32Array(width * height);
  for (let at = 0; at < values.length; at += 1) values[at] = toLuma(raster, at * 3);
  return { width, height, values };
}

/** Measures mean luma. */
export function measureMean({ values }: Luma): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Measures the standard deviation of luma: RMS contrast (Peli 1990, "Contrast in complex images"). */
export function measureDeviation(luma: Luma): number {
  const mean = measureMean(luma);
  return Math.sqrt(luma.values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / luma.values.length);
}

/**
 * Measures the variance of the 4-neighbour Laplacian (Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy"; as
 * `cv2.Laplacian(grey, CV_64F).var()`, without the outermost pixels). 0 for less than 3 × 3 pixels.
 */
export function measureLaplacianVariance(luma: Luma): number {
  const { width, height, values } = luma;
  const at = (index: number): number => values[index] ?? 0;
  let [count, sum, squares] = [0, 0, 0];
  for (let row = 1; row < height - 1; row += 1) {
    for (let index = row * width + 1; index < (row + 1) * width - 1; index += 1) {
      const value = at(index - width) + at(index + width) + at(index - 1) + at(index + 1) - 4 * at(index);
      count += 1;
      sum += value;
      squares += value * value;
    }
  }
  return count === 0 ? 0 : squares / count - (sum / count) ** 2;
}

/**
 * Estimates the standard deviation of noise in grey levels (Immerkær 1996, "Fast Noise Variance Estimation"): the mean absolute
 * response of a mask that ignores edges and gradients. 0 for less than 3 × 3 pixels.
 */
export function estimateNoise(luma: Luma): number {
  const { width, height, values } = luma;
  /** One row of the mask: 1 −2 1 around `index`. */
  const bend = (index: number): number =>
    (values[index - 1] ?? 0) - 2 * (values[index] ?? 0) + (values[index + 1] ?? 0);
  let sum = 0;
  for (let row = 1; row < height - 1; row += 1) {
    for (let index = row * width + 1; index < (row + 1) * width - 1; index += 1) {
      sum += Math.abs(bend(index - width) - 2 * bend(index) + bend(index + width));
    }
  }
  const count = Math.max(0, width - 2) * Math.max(0, height - 2);
  return count === 0 ? 0 : (Math.sqrt(Math.PI / 2) * sum) / (6 * count);
}

/**
 * Measures the mean difference of neighbours across the borders of 8 × 8 blocks, over that of neighbours inside them (Wu and Yuen 1997,
 * "A generalized block-edge impairment metric for video coding", without its weights). 1 without blocks.
 */
export function measureBlockiness({ width, height, values }: Luma): number {
  const border = { sum: 0, count: 0 };
  const inside = { sum: 0, count: 0 };
  const add = (place: number, index: number, before: number): void => {
    const group = place % blockSide === 0 ? border : inside;
    group.sum += Math.abs((values[index] ?? 0) - (values[before] ?? 0));
    group.count += 1;
  };
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const index = row * width + column;
      if (column > 0) add(column, index, index - 1);
      if (row > 0) add(row, index, index - width);
    }
  }
  const toMean = ({ sum, count }: typeof border): number => sum / Math.max(1, count) + leastDifference;
  return border.count === 0 ? 1 : toMean(border) / toMean(inside);
}
