import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { TensorFlow } from '../inference/engines/tensorflow.ts';
import type { RasterShape } from '../image/types.ts';
import { qualityLabels } from './labels.ts';

/** What the network looks at: the whole frame, so that nothing at its edges is missed. */
export const inputShape: RasterShape = { width: 192, height: 192, resize: 'stretch' };

/** Brings 0…255 to -1…1: x · scale + offset. */
export const normalise = { scale: 1 / 127.5, offset: -1 } as const;

/** The layer before the sigmoid: what training looks at, because a saturated sigmoid passes no gradient. */
export const logitsLayer = 'logits';

/** Filters of the convolutions; each halves the picture. */
const filters = [12, 24, 32, 48, 48] as const;

/**
 * Builds the untrained network: float32 [n, height, width, 3] in -1…1 to scores [n, labels] in 0…1.
 * Only layers whose operations the wasm backend has too.
 */
export function createNetwork(tf: TensorFlow, seed: number): LayersModel {
  const input = tf.input({ shape: [inputShape.height, inputShape.width, 3], name: 'picture' });
  let features = input;
  for (const [index, count] of filters.entries()) {
    const convolution = tf.layers.conv2d({
      name: `convolution${String(index + 1)}`,
      filters: count,
      kernelSize: 3,
      strides: 2,
      padding: 'same',
      activation: 'relu',
      kernelInitializer: tf.initializers.heNormal({ seed: seed + index }),
    });
    features = convolution.apply(features) as typeof input;
  }
  // The mean tells of exposure; the maximum finds the one sharp place before a soft background. It is pooled because
  // the gradient of globalMaxPooling2d counts every tie: 36 times too much for a picture that is all black.
  const mean = tf.layers.globalAveragePooling2d({ name: 'mean' }).apply(features) as typeof input;
  const places = features.shape[1] ?? 1;
  const pool = tf.layers.maxPooling2d({ name: 'most', poolSize: places }).apply(features);
  const most = tf.layers.flatten({ name: 'flat' }).apply(pool) as typeof input;
  const pooled = tf.layers.concatenate({ name: 'pooled' }).apply([mean, most]) as typeof input;
  const dense = tf.layers.dense({
    name: 'dense',
    units: 32,
    activation: 'relu',
    kernelInitializer: tf.initializers.heNormal({ seed: seed + filters.length }),
  });
  const hidden = dense.apply(pooled) as typeof input;
  const logits = tf.layers.dense({
    name: logitsLayer,
    units: qualityLabels.length,
    kernelInitializer: tf.initializers.glorotNormal({ seed: seed + filters.length + 1 }),
  });
  const scores = tf.layers.activation({ name: 'scores', activation: 'sigmoid' }).apply(logits.apply(hidden));
  return tf.model({ inputs: input, outputs: scores as typeof input, name: 'quality' });
}
