import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Size } from '../../image/types.ts';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import { createRandom } from '../samples/random.ts';
import type { SampleSource } from '../samples/sample-source.ts';
import type { Checkpoint } from './checkpoint.ts';
import { createNetwork, toServing } from './network.ts';
import { ReplayBuffer } from './replay-buffer.ts';
import type { Round } from './schedule.ts';
import { TrainableNetwork } from './trainable-network.ts';

/** What a training needs. */
export interface Training {
  readonly tf: TensorFlow;
  readonly source: SampleSource;
  readonly seed: number;
  readonly rounds: readonly Round[];
  readonly checkpoint: Checkpoint;
  /** Called with the loss after every step. */
  readonly onStep: (done: number, total: number, loss: number) => void;
}

/** Runs all rounds that the checkpoint doesn't have yet. @returns the network for serving, for rasters of `size` */
export async function runTraining(training: Training, size: Size): Promise<LayersModel> {
  const { tf, seed, rounds, checkpoint } = training;
  const replayBuffer = new ReplayBuffer(training.source);
  const total = rounds.reduce((sum, { steps }) => sum + steps, 0);
  let done = 0;
  for (const [index, round] of rounds.entries()) {
    done += round.steps;
    if (index < (await checkpoint.countRounds())) continue;
    const trainable = new TrainableNetwork(tf, createNetwork(tf, seed, round.stage.size, 'learning'));
    await checkpoint.restore(trainable);
    await trainable.setLearningRate(round.rate);
    await replayBuffer.startRound(round);
    const random = createRandom(seed, -1 - index);
    for (let step = 0; step < round.steps; step += 1) {
      const loss = trainable.trainOnBatch(await replayBuffer.drawBatch(random, round), round.stage.size, random);
      training.onStep(done - round.steps + step + 1, total, loss);
    }
    await checkpoint.save(trainable, index + 1);
    trainable.dispose();
  }
  const trained = new TrainableNetwork(tf, createNetwork(tf, seed, size, 'learning'));
  await checkpoint.restore(trained);
  const network = toServing(tf, trained.network, size);
  trained.dispose();
  return network;
}
