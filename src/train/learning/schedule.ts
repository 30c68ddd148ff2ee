import type { Size } from '../../image/types.ts';
import { inputShape } from '../samples/network-input.ts';

/** A part of the training with one raster size. */
export interface Stage {
  readonly size: Size;
  readonly batchSize: number;
  /** New samples per batch; the others are replayed. */
  readonly freshSamples: number;
  /** Capacity of the replay buffer. */
  readonly replaySamples: number;
  readonly rounds: number;
}

/** The steps between two checkpoints. */
export interface Round {
  readonly stage: Stage;
  /** Number of its first sample, and of its stage's. */
  readonly firstSample: number;
  readonly stageStart: number;
  readonly steps: number;
  readonly rate: number;
}

/** New samples per round: in every stage a multiple of those per batch. */
const defaultRoundSamples = 1024;
const highestRate = 2.5e-3;
const lowestRate = 1.5e-5;

/**
 * Most rounds use half the raster size, at a quarter of the time: blur, noise and darkness look the same there. The last
 * rounds adapt the network to whole frames.
 */
export function toStages(rounds: number): readonly Stage[] {
  const half = { width: inputShape.width / 2, height: inputShape.height / 2 };
  const whole = { width: inputShape.width, height: inputShape.height };
  const wholeRounds = Math.ceil(rounds / 6);
  return [
    { size: half, batchSize: 24, freshSamples: 4, replaySamples: 1600, rounds: rounds - wholeRounds },
    { size: whole, batchSize: 16, freshSamples: 4, replaySamples: 400, rounds: wholeRounds },
  ];
}

/** Lays out all rounds of a training, with cosine decay of the learning rate. */
export function toRounds(stages: readonly Stage[], roundSamples = defaultRoundSamples): readonly Round[] {
  const total = stages.reduce((sum, { rounds }) => sum + rounds, 0);
  const rounds: Round[] = [];
  for (const stage of stages) {
    const stageStart = rounds.length * roundSamples;
    for (let round = 0; round < stage.rounds; round += 1) {
      const share = (1 + Math.cos((Math.PI * rounds.length) / total)) / 2;
      rounds.push({
        stage,
        stageStart,
        firstSample: rounds.length * roundSamples,
        steps: roundSamples / stage.freshSamples,
        rate: rounds.length === 0 ? highestRate / 3 : lowestRate + (highestRate - lowestRate) * share,
      });
    }
  }
  return rounds;
}
