import type { Rank, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Size } from '../../image/types.ts';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import { qualityLabels } from '../samples/labels.ts';
import { toMapSize } from '../samples/network-input.ts';
import type { Sample } from '../samples/samples.ts';
import { normalise } from './network.ts';

/** Samples as tensors. */
export interface Batch {
  /** float32 [n, height, width, 3] in -1…1 */
  readonly pictures: Tensor4D;
  /** float32 [n, labels] */
  readonly targets: Tensor<Rank.R2>;
  readonly weights: Tensor<Rank.R2>;
  /** float32 [n, rows, columns, labels] */
  readonly mapTargets: Tensor4D;
  readonly mapWeights: Tensor4D;
}

/** Augmentation of a batch: flipping doesn't change the labels. */
interface Flips {
  readonly isFlipped: boolean;
  readonly isUpsideDown: boolean;
}

/** Builds a batch from samples of one size; call it within a tidy. */
export function createBatch(tf: TensorFlow, samples: readonly Sample[], size: Size, flips: Flips): Batch {
  const count = samples.length;
  const labels = qualityLabels.length;
  const map = toMapSize(size);
  const axes = [...(flips.isUpsideDown ? [1] : []), ...(flips.isFlipped ? [2] : [])];
  const flip = (tensor: Tensor4D): Tensor4D => (axes.length > 0 ? tensor.reverse(axes) : tensor);
  const numbers = tf.tensor3d(joinFloats(samples.map(({ targets }) => targets)), [count, labels, 2]);
  const mapNumbers = tf.tensor4d(joinFloats(samples.map(({ mapTargets }) => mapTargets)), [
    count,
    map.height,
    map.width,
    labels * 2,
  ]);
  const [targets, weights] = tf.unstack(numbers, 2) as [Tensor<Rank.R2>, Tensor<Rank.R2>];
  const flipped = flip(mapNumbers).reshape([count, map.height, map.width, labels, 2]);
  const [mapTargets, mapWeights] = tf.unstack(flipped, 4) as [Tensor4D, Tensor4D];
  return {
    pictures: flip(
      toPictures(
        tf,
        samples.map(({ raster }) => raster),
        size,
      ),
    ),
    targets,
    weights,
    mapTargets,
    mapWeights,
  };
}

/** Copies rasters into the network's input tensor: float32 [n, height, width, 3] in -1…1. */
export function toPictures(tf: TensorFlow, rasters: readonly Uint8Array[], { width, height }: Size): Tensor4D {
  const bytes = new Uint8Array(rasters.length * height * width * 3);
  for (const [index, raster] of rasters.entries()) bytes.set(raster, index * raster.length);
  const pixels = tf.tensor4d(bytes, [rasters.length, height, width, 3], 'int32');
  return pixels.toFloat().mul(normalise.scale).add(normalise.offset);
}

function joinFloats(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
