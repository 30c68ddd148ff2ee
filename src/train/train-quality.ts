import path from 'node:path';
import { exitCodes, ExitError } from '../errors.ts';
import { loadTensorFlow } from '../inference/engines/tensorflow.ts';
import { toModelCard } from './card/model-card.ts';
import { toCardFacts } from './card/quality-card.ts';
import { calibrateNetwork } from './learning/calibration.ts';
import { Checkpoint } from './learning/checkpoint.ts';
import { type PhotoSplit, splitPhotos } from './learning/photo-split.ts';
import { toRounds, toStages } from './learning/schedule.ts';
import { runTraining } from './learning/training.ts';
import { assertReplaceable, exportModel } from './model-export.ts';
import { inputShape } from './samples/network-input.ts';
import { loadPhotos, type Photo } from './samples/photos.ts';
import { startSampleSource } from './samples/sample-source.ts';

/** Arguments of `image-check train quality`. */
export interface TrainQualityOptions {
  readonly photosDir: string;
  /** The version's folder, such as `models/quality/2`; an existing model in it is replaced at the end. */
  readonly outDir: string;
  readonly seed: number;
  /** Length of the training. */
  readonly rounds?: number;
  /** Numbers of samples, for tests. */
  readonly samples?: { readonly perRound: number; readonly forCalibration: number };
  /** Called with the progress; `loss` during training. */
  readonly onProgress: (phase: string, done: number, total: number, loss?: number) => void;
}

const defaultRounds = 20;
const calibrationSamples = 1500;

/**
 * Trains the quality model on a folder of good photographs and writes it as a version that can be served. Photographs for
 * calibration and evaluation are held out as a whole. An interrupted training resumes.
 * @throws {@link ExitError} 78 where a number is out of range, the photographs can't be read, or `outDir` holds something
 * else or another training's progress.
 */
export async function trainQuality(options: TrainQualityOptions): Promise<void> {
  const { seed, onProgress, outDir, rounds = defaultRounds } = options;
  assertWhole('seed', seed, 0);
  assertWhole('rounds', rounds, 2);
  await assertReplaceable(outDir);
  const photos = await loadPhotos(options.photosDir, (done, total) => {
    onProgress('photographs', done, total);
  });
  const split = splitPhotos(photos, seed);
  const tf = loadTensorFlow();
  const identity = JSON.stringify({
    seed,
    rounds,
    photos: photos.map(({ file, width, height }) => [file, width, height]),
  });
  const checkpoint = new Checkpoint(tf, `${path.resolve(outDir)}.training`, identity);
  await checkpoint.open();
  const trainingSet = startSampleSource(split.training, seed);
  const calibrationSet = startSampleSource(split.calibration, seed + 1);
  try {
    const calibrationCount = options.samples?.forCalibration ?? calibrationSamples;
    const onStep = (done: number, total: number, loss: number): void => {
      onProgress('training', done, total, loss);
    };
    const schedule = toRounds(toStages(rounds), options.samples?.perRound);
    const training = { tf, source: trainingSet, seed, rounds: schedule, checkpoint, onStep };
    const network = await runTraining(training, inputShape);
    const policy = await calibrateNetwork(tf, network, calibrationSet, calibrationCount, (done, total) => {
      onProgress('calibration', done, total);
    });
    const parameters = network.countParams();
    const facts = toCardFacts({ split, policy, parameters, seed, rounds: schedule });
    await exportModel(tf, network, outDir, {
      policy,
      card: toModelCard(facts),
      training: toRecord(split, seed, rounds),
    });
    network.dispose();
    await checkpoint.clear();
  } finally {
    await Promise.all([trainingSet.stop(), calibrationSet.stop()]);
  }
}

function toRecord(split: PhotoSplit, seed: number, rounds: number): object {
  const toFiles = (photos: readonly Photo[]): string[] => photos.map(({ file }) => file).sort();
  const { training, calibration, heldOut } = split;
  return { seed, rounds, learnt: toFiles(training), calibrated: toFiles(calibration), heldOut: toFiles(heldOut) };
}

function assertWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ExitError(
    exitCodes.configuration,
    `${name} must be a whole number from ${String(least)}: ${String(value)}`,
  );
}
