import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Size } from '../../image/types.ts';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import { createRandom } from '../samples/random.ts';
import type { SampleSource } from '../samples/sample-source.ts';
import type { Checkpoint } from './checkpoint.ts';
import { createNetwork, toServing } from './network.ts';
import { Pupil } from './pupil.ts';
import { Rehearsal } from './rehearsal.ts';
import type { Round } from './schedule.ts';

/** What a training works with. */
export interface Training {
  readonly tf: TensorFlow;
  readonly source: SampleSource;
  readonly seed: number;
  readonly rounds: readonly Round[];
  readonly checkpoint: Checkpoint;
  /** Hears the loss of every step. */
  readonly onStep: (done: number, total: number, loss: number) => void;
}

/** Goes through all rounds that the checkpoint doesn't have yet. @returns the network that serves pictures of `size` */
export async function runTraining(training: Training, size: Size): Promise<LayersModel> {
  const { tf, seed, rounds, checkpoint } = training;
  const rehearsal = new Rehearsal(training.source);
  const total = rounds.reduce((sum, { steps }) => sum + steps, 0);
  let done = 0;
  for (const [index, round] of rounds.entries()) {
    done += round.steps;
    if (index < (await checkpoint.countRounds())) continue;
    const pupil = new Pupil(tf, createNetwork(tf, seed, round.stage.size, 'learning'));
    await checkpoint.restore(pupil);
    await pupil.setRate(round.rate);
    await rehearsal.begin(round);
    const random = createRandom(seed, -1 - index);
    for (let step = 0; step < round.steps; step += 1) {
      const loss = pupil.learn(await rehearsal.draw(random, round), round.stage.size, random);
      training.onStep(done - round.steps + step + 1, total, loss);
    }
    await checkpoint.save(pupil, index + 1);
    pupil.dispose();
  }
  const graduate = new Pupil(tf, createNetwork(tf, seed, size, 'learning'));
  await checkpoint.restore(graduate);
  const network = toServing(tf, graduate.network, size);
  graduate.dispose();
  return network;
}
