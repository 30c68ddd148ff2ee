import { decodeImage } from '../../image/decode.ts';
import { toLongSidePlacement } from '../../image/framing.ts';
import type { Size } from '../../image/types.ts';
import { type DegradedPhoto, degradePhoto } from './degradation.ts';
import { mapCells } from './exposure.ts';
import { qualityLabels, type Target } from './labels.ts';
import { toMapSize } from './network-input.ts';
import type { Picture } from './photos.ts';
import { drawPlan } from './plan.ts';
import { createRandom } from './random.ts';

/** One degraded photograph as the service would pass it to the model, with the targets of its labels. */
export interface Sample {
  /** uint8 [height, width, 3] */
  readonly raster: Uint8Array;
  /** float32 [labels, 2]: value, weight. */
  readonly targets: Float32Array;
  /** float32 [rows, columns, labels, 2] */
  readonly mapTargets: Float32Array;
}

/** The trainer's own pictures need no limits of memory. */
const limits = { maxPixels: 52_000_000, decodeTimeoutMs: 60_000, maxDecodeBytes: Infinity };

/** Decodes image bytes to the network's raster, as the service does. */
export async function toRaster(bytes: Uint8Array, { width, height }: Size): Promise<Uint8Array> {
  return decodeImage(bytes, { width, height, resize: 'long-side' }, limits);
}

/** Renders a sample by its number: the same photographs, seed and number give the same sample. */
export async function renderSample(
  photos: readonly Picture[],
  seed: number,
  index: number,
  size: Size,
): Promise<Sample> {
  const random = createRandom(seed, index);
  const photo = photos[Math.floor(random() * photos.length)];
  if (!photo) throw new Error('there is no photograph');
  const degraded = await degradePhoto(photo, drawPlan(random), size, random);
  const raster = await toRaster(degraded.bytes, size);
  return { raster, targets: toNumbers(degraded.targets), mapTargets: toMapTargets(degraded, size) };
}

/** Maps the targets of an upload's cells to the cells of the raster, in which it may be turned and mirrored. */
function toMapTargets({ cells, size }: DegradedPhoto, raster: Size): Float32Array {
  const { isTurned, width, height } = toLongSidePlacement(size, raster);
  const map = toMapSize(raster);
  const numbers = new Float32Array(map.width * map.height * qualityLabels.length * 2);
  for (let row = 0; row < map.height; row += 1) {
    for (let column = 0; column < map.width; column += 1) {
      const across = fold(((column + 0.5) * raster.width) / map.width / width);
      const down = fold(((row + 0.5) * raster.height) / map.height / height);
      const [x, y] = isTurned ? [down, 1 - across] : [across, down];
      const cell = Math.floor(y * mapCells.rows) * mapCells.columns + Math.floor(x * mapCells.columns);
      const targets = cells[cell] ?? [];
      numbers.set(toNumbers(targets), (row * map.width + column) * qualityLabels.length * 2);
    }
  }
  return numbers;
}

/** Maps a place beyond the picture's end to the one that mirroring shows there; places are shares of a side. */
function fold(place: number): number {
  const within = place % 2;
  return Math.min(1 - 1e-6, within < 1 ? within : 2 - within);
}

function toNumbers(targets: readonly Target[]): Float32Array {
  return Float32Array.from(targets.flatMap(({ value, weight }) => [value, weight]));
}
