import type { Optimizer, Rank, Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { TensorFlow } from '../inference/engines/tensorflow.ts';
import { inputShape, logitsLayer, normalise } from './network.ts';
import { qualityLabels } from './labels.ts';
import { createRandom, shuffle } from './random.ts';
import type { Random } from './random.ts';
import { rasterBytes } from './samples.ts';
import type { Samples } from './samples.ts';

const batchSize = 32;
/** One optimizer for each third of the training: tfjs can't change the rate of a running Adam. */
const learningRates = [2e-3, 7e-4, 2e-4] as const;

/** How long a training lasts, and who hears of it. */
export interface FitOptions {
  readonly epochs: number;
  readonly seed: number;
  /** Hears the mean loss of every batch. */
  readonly onBatch: (done: number, total: number, loss: number) => void;
}

/** Trains the network in place. */
export function fitNetwork(tf: TensorFlow, network: LayersModel, samples: Samples, options: FitOptions): void {
  const random = createRandom(options.seed);
  const batches = drawBatches(samples.count, options.epochs, random);
  const logits = tf.model({ inputs: network.inputs, outputs: network.getLayer(logitsLayer).output });
  const third = Math.ceil(batches.length / learningRates.length);
  for (const [index, rate] of learningRates.entries()) {
    const optimizer = tf.train.adam(rate);
    for (const [offset, batch] of batches.slice(index * third, (index + 1) * third).entries()) {
      const loss = fitBatch(tf, logits, optimizer, samples, batch, random() < 0.5);
      options.onBatch(index * third + offset + 1, batches.length, loss);
    }
    optimizer.dispose();
  }
}

/** Copies some rasters into a tensor as the network takes it: float32 [n, height, width, 3] in -1…1. */
export function toInput(tf: TensorFlow, rasters: Uint8Array, indices: readonly number[]): Tensor<Rank.R4> {
  const bytes = new Uint8Array(indices.length * rasterBytes);
  for (const [slot, index] of indices.entries()) {
    bytes.set(rasters.subarray(index * rasterBytes, (index + 1) * rasterBytes), slot * rasterBytes);
  }
  return tf.tidy(() =>
    tf
      .tensor4d(bytes, [indices.length, inputShape.height, inputShape.width, 3], 'int32')
      .toFloat()
      .mul(normalise.scale)
      .add<Tensor<Rank.R4>>(normalise.offset),
  );
}

/** Every sample once an epoch, in a new order each time. */
function drawBatches(count: number, epochs: number, random: Random): number[][] {
  const all = Array.from({ length: count }, (_, index) => index);
  return Array.from({ length: epochs }, () => shuffle(random, all)).flatMap((order) =>
    Array.from({ length: Math.ceil(count / batchSize) }, (_, batch) =>
      order.slice(batch * batchSize, (batch + 1) * batchSize),
    ),
  );
}

function fitBatch(
  tf: TensorFlow,
  network: LayersModel,
  optimizer: Optimizer,
  samples: Samples,
  batch: readonly number[],
  isMirrored: boolean,
): number {
  return tf.tidy(() => {
    const straight = toInput(tf, samples.rasters, batch);
    const input = isMirrored ? straight.reverse(2) : straight;
    const targets = toRows(tf, samples.targets, batch);
    const weights = toRows(tf, samples.weights, batch);
    const variables = network.trainableWeights
      .map((weight) => weight.read())
      .filter((weight) => weight instanceof tf.Variable);
    const loss = optimizer.minimize(
      () => measureLoss(tf, network.apply(input, { training: true }) as Tensor<Rank.R2>, targets, weights),
      true,
      variables,
    );
    return loss?.dataSync()[0] ?? Number.NaN;
  });
}

/** Weighted cross-entropy of sigmoid(x), the mean over all labels that can be judged. */
function measureLoss(tf: TensorFlow, x: Tensor<Rank.R2>, targets: Tensor<Rank.R2>, weights: Tensor<Rank.R2>): Scalar {
  const losses = x.relu().sub(x.mul(targets)).add(x.abs().neg().exp().log1p());
  return losses.mul(weights).sum().div<Scalar>(weights.sum());
}

function toRows(tf: TensorFlow, values: Float32Array, indices: readonly number[]): Tensor<Rank.R2> {
  const labels = qualityLabels.length;
  const rows = indices.flatMap((index) => [...values.subarray(index * labels, (index + 1) * labels)]);
  return tf.tensor2d(rows, [indices.length, labels]);
}
