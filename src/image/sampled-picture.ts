import { processBands, toBandRows } from './bands.ts';
import { takeBytes } from './byte-pool.ts';
import type { DecodeTurn } from './decode-gate.ts';
import { pixelsPerBand, type RenderedPicture, type Samples, toBytes } from './rendered-picture.ts';
import { toCompact } from './sampled-line.ts';
import { placeSamples, planSampling, type SamplingPlan } from './sampling.ts';
import type { SampledShape } from './types.ts';

/**
 * Samples a picture, as it was coded, for a raster.
 * @param orientation as EXIF counts, 1…8
 * @returns uint8 [shape.height, shape.width, 3], in memory from the pool
 * @throws as `processBands`
 */
export async function samplePicture(
  picture: RenderedPicture,
  orientation: number,
  shape: SampledShape,
  turn: Pick<DecodeTurn, 'assertWanted'>,
): Promise<Uint8Array> {
  const plan = planSampling(picture, orientation, shape);
  return placeSamples(await samplePixels(await convertSampled(picture, plan, turn), turn), plan, shape);
}

/** Pixels to sample, with the plan for them. */
interface PlannedPixels {
  /** uint8 [n, width, 3] */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly plan: SamplingPlan;
}

/**
 * Converts the pixels of a picture that the plan uses: few of a photograph's.
 * @throws as `processBands`
 */
async function convertSampled(
  picture: RenderedPicture,
  plan: SamplingPlan,
  turn: Pick<DecodeTurn, 'assertWanted'>,
): Promise<PlannedPixels> {
  const { samples, width, channels, convert } = picture;
  if (convert === undefined) return { pixels: toBytes(samples), width, plan };
  const [columns, rows] = [toCompact(plan.columns), toCompact(plan.rows)];
  const across = columns.positions.length;
  const pixels = new Uint8Array(across * rows.positions.length * 3);
  const line = samples instanceof Uint8Array ? new Uint8Array(across * channels) : new Uint16Array(across * channels);
  await processBands(rows.positions.length, toBandRows(across, pixelsPerBand), turn, (from, to) => {
    for (let row = from; row < to; row += 1) {
      const start = (rows.positions[row] ?? 0) * width * channels;
      gather(samples.subarray(start, start + width * channels), columns.positions, channels, line);
      convert(line, pixels.subarray(row * across * 3, (row + 1) * across * 3));
    }
  });
  return { pixels, width: across, plan: { ...plan, columns: columns.line, rows: rows.line } };
}

function gather(row: Samples, positions: Int32Array, channels: number, line: Samples): void {
  let to = 0;
  for (const position of positions) {
    for (let channel = 0; channel < channels; channel += 1) line[to++] = row[position * channels + channel] ?? 0;
  }
}

/** Weighted pixels per band: about 10 ms. */
const tapsPerBand = 2 ** 18;

/**
 * Samples pixels, each value to the nearest whole number.
 * @param pixels uint8 [height, width, 3], at least as large as the picture that was planned for
 * @returns uint8 [plan.size.height, plan.size.width, 3], in memory from the pool
 * @throws as `processBands`
 */
async function samplePixels(
  { pixels, width, plan }: PlannedPixels,
  turn: Pick<DecodeTurn, 'assertWanted'>,
): Promise<Uint8Array> {
  const { columns, rows, size } = plan;
  const samples = takeBytes(size.width * size.height * 3);
  const bandRows = toBandRows(columns.count * columns.taps * rows.taps, tapsPerBand);
  await processBands(rows.count, bandRows, turn, (from, to) => {
    for (let row = from; row < to; row += 1) sampleRow(pixels, width, plan, row, samples);
  });
  return samples;
}

/** Channels are unrolled: a loop over them takes twice the time. */
function sampleRow(pixels: Uint8Array, width: number, plan: SamplingPlan, row: number, samples: Uint8Array): void {
  const { columns, rows, isTurned, size } = plan;
  const [columnStep, rowStep] = isTurned ? [size.width * 3, 3] : [3, size.width * 3];
  for (let column = 0; column < columns.count; column += 1) {
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let down = 0; down < rows.taps; down += 1) {
      let from = (((rows.firsts[row] ?? 0) + down) * width + (columns.firsts[column] ?? 0)) * 3;
      let lineRed = 0;
      let lineGreen = 0;
      let lineBlue = 0;
      for (let across = 0; across < columns.taps; across += 1, from += 3) {
        const weight = columns.weights[column * columns.taps + across] ?? 0;
        lineRed += weight * (pixels[from] ?? 0);
        lineGreen += weight * (pixels[from + 1] ?? 0);
        lineBlue += weight * (pixels[from + 2] ?? 0);
      }
      const weight = rows.weights[row * rows.taps + down] ?? 0;
      red += lineRed * weight;
      green += lineGreen * weight;
      blue += lineBlue * weight;
    }
    const at = row * rowStep + column * columnStep;
    samples[at] = toWhole(red);
    samples[at + 1] = toWhole(green);
    samples[at + 2] = toWhole(blue);
  }
}

function toWhole(sum: number): number {
  return Math.min(255, Math.max(0, Math.floor(sum + 0.5)));
}
