import type { Size } from '../../image/types.ts';
import { inputShape } from '../samples/network-input.ts';

/** A part of the training with one size of picture. */
export interface Stage {
  readonly size: Size;
  readonly batchSize: number;
  /** Of a batch, samples that are seen for the first time; the others are seen again. */
  readonly freshSamples: number;
  /** How many samples are kept to be seen again. */
  readonly replaySamples: number;
  readonly rounds: number;
}

/** What is learnt between two checkpoints. */
export interface Round {
  readonly stage: Stage;
  /** Number of its first sample, and of the stage's. */
  readonly firstSample: number;
  readonly stageStart: number;
  readonly steps: number;
  readonly rate: number;
}

/** Fresh samples of one round, of every stage a multiple of those of a batch. */
const defaultRoundSamples = 1024;
const highestRate = 2.5e-3;
const lowestRate = 1.5e-5;

/**
 * Most is learnt on pictures of half the size, in a quarter of the time: what is blurred, noisy or dark looks the same
 * there. The rest is for how much of a whole frame there is of it.
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

/** Lays out a whole training; the rate falls as a cosine does. */
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
