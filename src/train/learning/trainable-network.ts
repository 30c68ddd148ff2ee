import type { AdamOptimizer, Rank, Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Size } from '../../image/types.ts';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import type { Random } from '../samples/random.ts';
import type { Sample } from '../samples/samples.ts';
import { type Batch, createBatch } from './batch.ts';
import { logitsLayers } from './network.ts';

/** tfjs-core does not export it. */
type NamedTensor = Awaited<ReturnType<AdamOptimizer['getWeights']>>[number];

/** Weight of the map's loss relative to that of the scores. */
const mapShare = 0.5;

/** A network in training: its weights and the state of its optimizer. */
export class TrainableNetwork {
  readonly network: LayersModel;
  readonly #tf: TensorFlow;
  readonly #logits: LayersModel;
  #optimizer: AdamOptimizer;

  constructor(tf: TensorFlow, network: LayersModel) {
    this.#tf = tf;
    this.network = network;
    const outputs = [logitsLayers.scores, logitsLayers.map].map((name) => network.getLayer(name).output);
    this.#logits = tf.model({ inputs: network.inputs, outputs: outputs.flat() });
    this.#optimizer = tf.train.adam();
  }

  /** Changes the learning rate: tfjs can't change a running optimizer's, so a new one takes over its state. */
  async setLearningRate(rate: number): Promise<void> {
    const memory = await this.#optimizer.getWeights();
    const next = this.#tf.train.adam(rate);
    if (memory.length > 1) await next.setWeights(memory);
    // The step count comes first; `getWeights` creates a new tensor for it.
    memory[0]?.tensor.dispose();
    this.#optimizer.dispose();
    this.#optimizer = next;
  }

  /** Takes one optimizer step on a batch of samples. @returns the mean loss */
  trainOnBatch(samples: readonly Sample[], size: Size, random: Random): number {
    const tf = this.#tf;
    return tf.tidy(() => {
      const batch = createBatch(tf, samples, size, { isFlipped: random() < 0.5, isUpsideDown: random() < 0.5 });
      const loss = this.#optimizer.minimize(() => this.#measureLoss(batch), true);
      return loss?.dataSync()[0] ?? Number.NaN;
    });
  }

  /** Copies the state that `restore` needs, weights first, then the optimizer's; the caller disposes of it. */
  async save(): Promise<NamedTensor[]> {
    const weights = this.network.getWeights().map((tensor, index) => ({ name: `weight${String(index)}`, tensor }));
    const [count, ...moments] = await this.#optimizer.getWeights();
    const own = [...weights, ...moments].map(({ name, tensor }) => ({ name, tensor: tensor.clone() }));
    return count ? [...own.slice(0, weights.length), count, ...own.slice(weights.length)] : own;
  }

  /** Restores a saved state. */
  async restore(saved: readonly NamedTensor[]): Promise<void> {
    const count = this.network.weights.length;
    this.network.setWeights(saved.slice(0, count).map(({ tensor }) => tensor));
    if (saved.length > count + 1) await this.#optimizer.setWeights(saved.slice(count));
  }

  dispose(): void {
    this.#optimizer.dispose();
    this.network.dispose();
  }

  #measureLoss(batch: Batch): Scalar {
    const [scores, map] = this.#logits.apply(batch.pictures, { training: true }) as [Tensor, Tensor];
    const whole = measureEntropy(scores, batch.targets, batch.weights);
    return whole.add(measureEntropy(map, batch.mapTargets, batch.mapWeights).mul(mapShare));
  }
}

/** Weighted cross-entropy of sigmoid(x): the mean over known targets. */
function measureEntropy(x: Tensor, targets: Tensor, weights: Tensor): Tensor<Rank.R0> {
  const losses = x.relu().sub(x.mul(targets)).add(x.abs().neg().exp().log1p());
  return losses.mul(weights).sum().div<Tensor<Rank.R0>>(weights.sum().add(1e-6));
}
