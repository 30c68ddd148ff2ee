import { decodeImage } from '../image/decode.ts';
import { degradePhoto, drawDegradation } from './degradation.ts';
import { qualityLabels, toTargets } from './labels.ts';
import { inputShape } from './network.ts';
import type { Photo } from './photos.ts';
import { createRandom } from './random.ts';

/** Degraded photographs as the service would hand them to the model. */
export interface Samples {
  readonly count: number;
  /** uint8 [count, height, width, 3]. */
  readonly rasters: Uint8Array;
  /** float32 [count, labels], 0…1 each. */
  readonly targets: Float32Array;
  readonly weights: Float32Array;
}

/** Bytes of one raster. */
export const rasterBytes = inputShape.width * inputShape.height * 3;

/** Turns image bytes into the network's raster, the way the service does. */
export async function toRaster(bytes: Uint8Array): Promise<Uint8Array> {
  return decodeImage(bytes, inputShape, { maxPixels: 50_000_000, decodeTimeoutMs: 60_000 });
}

/** Degrades every photograph `perPhoto` times; a seed gives the same samples again. */
export async function renderSamples(
  photos: readonly Photo[],
  perPhoto: number,
  seed: number,
  onSample: (done: number, total: number) => void = () => undefined,
): Promise<Samples> {
  const count = photos.length * perPhoto;
  const rasters = new Uint8Array(count * rasterBytes);
  const targets = new Float32Array(count * qualityLabels.length);
  const weights = new Float32Array(count * qualityLabels.length);
  let done = 0;
  for (const [index, photo] of photos.entries()) {
    const random = createRandom(seed, index);
    for (let variant = 0; variant < perPhoto; variant += 1) {
      const { jpeg, strength } = await degradePhoto(photo, drawDegradation(random));
      rasters.set(await toRaster(jpeg), done * rasterBytes);
      for (const [label, target] of toTargets(strength).entries()) {
        targets[done * qualityLabels.length + label] = target.value;
        weights[done * qualityLabels.length + label] = target.weight;
      }
      done += 1;
      onSample(done, count);
    }
  }
  return { count, rasters, targets, weights };
}
