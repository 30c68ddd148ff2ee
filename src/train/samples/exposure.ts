import { toLightValue, toLuma, toValue } from './light.ts';
import type { Picture } from './photos.ts';

/** Luma at or below which nothing can be made out, and at or above which nothing is left. */
const blackLuma = 28;
const whiteLuma = 242;

/** Haze or a faded print: every value moves towards one. @param share of the contrast that is left */
export function flatten(picture: Picture, share: number, towards: number): Picture {
  return mapValues(picture, (value) => Math.round(towards + share * (value - towards)));
}

/** Another time of exposure. @param stops doublings of light; the sensor cuts off what is too bright */
export function expose(picture: Picture, stops: number): Picture {
  return mapValues(picture, (value) => toValue(toLightValue(value) * 2 ** stops));
}

function mapValues({ pixels, width, height }: Picture, to: (value: number) => number): Picture {
  const mapped = Uint8Array.from({ length: 256 }, (_, value) => to(value));
  const changed = new Uint8Array(pixels.length);
  for (let at = 0; at < pixels.length; at += 1) changed[at] = mapped[pixels[at] ?? 0] ?? 0;
  return { pixels: changed, width, height };
}

/** Shares of what could be made out before that is black or white after; of the whole and of each cell. */
export interface Loss {
  readonly black: number;
  readonly white: number;
}

/** How many cells a map of a picture has, whatever its size. */
export const mapCells = { columns: 16, rows: 12 } as const;

/** A smooth surface loses little by turning white, or black: paper, a sky. */
const smoothWeight = 0.15;
/** Difference of neighbours, 0…255, that counts whole. */
const fullDetail = 8;
/** Every second pixel of every second row tells enough. */
const stride = 2;

/** Measures what was lost in the cells of a map, row by row, of pictures of one size. */
export function measureLosses(before: Picture, after: Picture): { readonly whole: Loss; readonly cells: Loss[] } {
  const { columns, rows } = mapCells;
  const { width, height, pixels } = before;
  // Of every cell: what was not black, what of it is now; what was not white, what of it is now.
  const sums = new Float64Array(columns * rows * 4);
  for (let y = stride; y < height; y += stride) {
    const row = Math.floor((y * rows) / height) * columns;
    for (let x = stride; x < width; x += stride) {
      const at = (y * width + x) * 3;
      const sum = (row + Math.floor((x * columns) / width)) * 4;
      const [was, is] = [toLuma(pixels, at), toLuma(after.pixels, at)];
      const weight = Math.min(1, smoothWeight + measureStep(pixels, at, width) / fullDetail);
      // What was black or white before (a night sky, a white page) is no loss.
      if (was > blackLuma) {
        sums[sum] = (sums[sum] ?? 0) + weight;
        if (is <= blackLuma) sums[sum + 1] = (sums[sum + 1] ?? 0) + weight;
      }
      if (was < whiteLuma) {
        sums[sum + 2] = (sums[sum + 2] ?? 0) + weight;
        if (is >= whiteLuma) sums[sum + 3] = (sums[sum + 3] ?? 0) + weight;
      }
    }
  }
  const cells = Array.from({ length: columns * rows }, (_, cell) => toLoss([...sums.subarray(cell * 4, cell * 4 + 4)]));
  const total = (of: number): number => sums.reduce((sum, value, at) => (at % 4 === of ? sum + value : sum), 0);
  return { whole: toLoss([0, 1, 2, 3].map(total)), cells };
}

function toLoss([visible = 0, black = 0, light = 0, white = 0]: readonly number[]): Loss {
  return { black: black / Math.max(1, visible), white: white / Math.max(1, light) };
}

/** How much a pixel differs from those to its left and above, in green. */
function measureStep(pixels: Uint8Array, at: number, width: number): number {
  const here = pixels[at + 1] ?? 0;
  return Math.abs(here - (pixels[at - 2] ?? 0)) + Math.abs(here - (pixels[at + 1 - width * 3] ?? 0));
}

/** One pixel of so many, coprime to common widths, tells enough of a histogram. */
const sparse = 7;

/** 98th less 2nd percentile of luma, 0…255. */
export function measureRange({ pixels }: Picture): number {
  const histogram = new Uint32Array(256);
  let count = 0;
  for (let at = 0; at + 2 < pixels.length; at += 3 * sparse) {
    const luma = Math.round(toLuma(pixels, at));
    histogram[luma] = (histogram[luma] ?? 0) + 1;
    count += 1;
  }
  const toPercentile = (share: number): number => {
    let seen = 0;
    for (const [luma, here] of histogram.entries()) {
      seen += here;
      if (seen >= share * count) return luma;
    }
    return 255;
  };
  return toPercentile(0.98) - toPercentile(0.02);
}
