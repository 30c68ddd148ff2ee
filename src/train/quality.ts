import { ExitError, exitCodes } from '../errors.ts';
import { loadTensorFlow } from '../inference/engines/tensorflow.ts';
import { measureAreas, measureCases, scoreRasters } from './evaluation.ts';
import type { Figures } from './evaluation.ts';
import { assertReplaceable, exportModel } from './export.ts';
import { fitNetwork } from './fit.ts';
import { toModelCard } from './model-card.ts';
import { createNetwork } from './network.ts';
import { loadPhotos } from './photos.ts';
import type { Photo } from './photos.ts';
import { createRandom, shuffle } from './random.ts';
import { renderSamples } from './samples.ts';

/** What `image-check train quality` is asked for. */
export interface TrainQualityOptions {
  readonly photosDir: string;
  /** The version's folder, such as `models/quality/1`; a model that is there is replaced when all is done. */
  readonly outDir: string;
  readonly seed: number;
  /** Passes over all samples. */
  readonly epochs?: number;
  readonly onProgress: (phase: string, done: number, total: number) => void;
}

const defaultEpochs = 20;
const samplesPerPhoto = 60;
const testSamplesPerPhoto = 40;
const heldOutShare = 0.2;

/**
 * Trains the quality model on a folder of good photographs and writes it as a version that can be served.
 * Whole photographs are held out to measure it.
 * @throws {@link ExitError} 78 where a number doesn't fit, the photographs can't be read or `outDir` holds something else.
 */
export async function trainQuality(options: TrainQualityOptions): Promise<Figures> {
  const { seed, onProgress, epochs = defaultEpochs } = options;
  assertWhole('seed', seed, 0);
  assertWhole('epochs', epochs, 1);
  await assertReplaceable(options.outDir);
  const photos = await loadPhotos(options.photosDir, (done, total) => {
    onProgress('photographs', done, total);
  });
  const { learnt, heldOut } = splitPhotos(photos, seed);
  const samples = await renderSamples(learnt, samplesPerPhoto, seed, (done, total) => {
    onProgress('samples', done, total);
  });
  const tf = await loadTensorFlow();
  const network = createNetwork(tf, seed);
  try {
    const onBatch = (done: number, total: number) => {
      onProgress('training', done, total);
    };
    fitNetwork(tf, network, samples, { epochs, seed, onBatch });
    const test = await renderSamples(heldOut, testSamplesPerPhoto, seed + 1, (done, total) => {
      onProgress('evaluation', done, total);
    });
    const figures = {
      heldOut: heldOut.map(({ file }) => file),
      samples: test.count,
      areas: measureAreas(test, scoreRasters(tf, network, test.rasters)),
      rates: await measureCases(tf, network, heldOut),
    };
    const parameters = network.countParams();
    const facts = { photos, learnt: learnt.length, samples: samples.count, epochs, seed, parameters };
    await exportModel(tf, network, options.outDir, toModelCard(facts, figures));
    return figures;
  } finally {
    network.dispose();
  }
}

function assertWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ExitError(
    exitCodes.configuration,
    `${name} must be a whole number from ${String(least)}: ${String(value)}`,
  );
}

function splitPhotos(photos: readonly Photo[], seed: number): { learnt: Photo[]; heldOut: Photo[] } {
  const order = shuffle(createRandom(seed), photos);
  const count = Math.max(1, Math.round(photos.length * heldOutShare));
  return { learnt: order.slice(count), heldOut: order.slice(0, count) };
}
