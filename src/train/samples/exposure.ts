import { toLightValue, toLuma, toValue } from './light.ts';
import type { Picture } from './photos.ts';

/** Luma at or below which a pixel counts as black, and at or above which as white. */
const blackLuma = 28;
const whiteLuma = 242;

/** Simulates haze or a faded print: moves all values towards one. @param share of the contrast that remains */
export function flatten(picture: Picture, share: number, towards: number): Picture {
  return mapValues(picture, (value) => Math.round(towards + share * (value - towards)));
}

/** Changes the exposure. @param stops doublings of light; values above white are clipped */
export function expose(picture: Picture, stops: number): Picture {
  return mapValues(picture, (value) => toValue(toLightValue(value) * 2 ** stops));
}

function mapValues({ pixels, width, height }: Picture, to: (value: number) => number): Picture {
  const mapped = Uint8Array.from({ length: 256 }, (_, value) => to(value));
  const changed = new Uint8Array(pixels.length);
  for (let at = 0; at < pixels.length; at += 1) changed[at] = mapped[pixels[at] ?? 0] ?? 0;
  return { pixels: changed, width, height };
}

/** Shares of what was neither black nor white before and is black or white after. */
export interface Loss {
  readonly black: number;
  readonly white: number;
}

/** Cells of a map of targets, for a picture of any size. */
export const mapCells = { columns: 16, rows: 12 } as const;

/** Weight of a smooth surface, which loses little by turning white or black: paper, sky. */
const smoothWeight = 0.15;
/** Difference of neighbours, 0…255, from which a pixel has the full weight. */
const fullDetail = 8;
/** Every second pixel of every second row is enough. */
const stride = 2;

/** Measures what exposure lost in the whole picture and in each cell of a map, row by row. Both pictures have one size. */
export function measureLosses(before: Picture, after: Picture): { readonly whole: Loss; readonly cells: Loss[] } {
  const { columns, rows } = mapCells;
  const { width, height, pixels } = before;
  // Four sums per cell: not black before, of these black now; not white before, of these white now.
  const sums = new Float64Array(columns * rows * 4);
  for (let y = stride; y < height; y += stride) {
    const row = Math.floor((y * rows) / height) * columns;
    for (let x = stride; x < width; x += stride) {
      const at = (y * width + x) * 3;
      const sum = (row + Math.floor((x * columns) / width)) * 4;
      const [was, is] = [toLuma(pixels, at), toLuma(after.pixels, at)];
      const weight = Math.min(1, smoothWeight + measureStep(pixels, at, width) / fullDetail);
      // Black or white before (a night sky, a white page) is no loss.
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

/** Measures how much a pixel differs in green from its neighbours to the left and above. */
function measureStep(pixels: Uint8Array, at: number, width: number): number {
  const here = pixels[at + 1] ?? 0;
  return Math.abs(here - (pixels[at - 2] ?? 0)) + Math.abs(here - (pixels[at + 1 - width * 3] ?? 0));
}

/** Every seventh pixel is enough for a histogram; 7 is coprime to common widths. */
const sparse = 7;

/** Measures the 98th minus the 2nd percentile of luma, 0…255. */
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
