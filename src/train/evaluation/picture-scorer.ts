import { noDeadline } from '../../deadline.ts';
import { exitCodes, ExitError, ServiceError, toMessage } from '../../errors.ts';
import { decodeMeasured } from '../../image/decode.ts';
import { type MeasuredImage, measureImage } from '../../image/header.ts';
import type { DecodeLimits, RasterShape } from '../../image/types.ts';
import type { LoadedModel } from '../../inference/engines/engine.ts';
import { createTensorFlowEngine } from '../../inference/engines/tensorflow-engine.ts';
import { findArtefact } from '../../model/artefact.ts';
import { loadModelFiles } from '../../model/model-files.ts';
import { type ModelVersion, toModelKey } from '../../model/model-version.ts';
import { classicalMeasures, createLuma, type Luma } from './classical-measures.ts';

/** Scores of a picture, in the order of the model's labels. */
export interface PictureScores {
  /** Of the model, 0…1. */
  readonly scores: readonly number[];
  /** Of the classical measures, at the picture's full size; NaN for a label without one. */
  readonly classical: readonly number[];
}

/** Scores one picture. @throws ServiceError where it does not decode */
export type ScorePicture = (bytes: Uint8Array) => Promise<PictureScores>;

/** A loaded model that scores pictures as the service does. */
export interface PictureScorer {
  readonly form: LoadedModel['form'];
  readonly score: ScorePicture;
  /** Returns the model's scores only. */
  readonly infer: (bytes: Uint8Array) => Promise<readonly number[]>;
  readonly dispose: () => void;
}

/** Settings for decoding and loading. */
export interface ScorerOptions {
  readonly limits: DecodeLimits;
  /** Folder of the artefacts of models whose own folder is read-only. */
  readonly artefactDir: string;
}

/**
 * Loads a model on native TensorFlow, as its compiled graph if it has one.
 * @throws {@link ExitError} 78 where it can't be loaded
 */
export async function createPictureScorer(model: ModelVersion, options: ScorerOptions): Promise<PictureScorer> {
  const loaded = await loadModel(model, options.artefactDir).catch((thrown: unknown) => {
    const message = `${toModelKey(model)} can't be loaded: ${toMessage(thrown).replaceAll(/\s+/g, ' ')}`;
    throw new ExitError(exitCodes.configuration, message, { cause: thrown });
  });
  const { input, output } = model.manifest;
  const decode = (image: MeasuredImage, shape: RasterShape): Promise<Uint8Array> =>
    decodeMeasured(image, shape, options.limits, noDeadline);
  const inferMeasured = async (image: MeasuredImage): Promise<readonly number[]> => {
    const scores = Array.from(await loaded.run(await decode(image, input), 1));
    if (scores.every(Number.isFinite)) return scores;
    throw new Error(`${toModelKey(model)} gives the scores ${scores.join(', ')}`);
  };
  return {
    form: loaded.form,
    infer: async (bytes) => inferMeasured(await measureImage(bytes, options.limits)),
    async score(bytes) {
      const image = await measureImage(bytes, options.limits);
      const scores = await inferMeasured(image);
      const { width, height } = image.facts;
      const luma = createLuma(await decode(image, { width, height, resize: 'stretch' }), width, height);
      return { scores, classical: output.labels.map((label) => measureClassically(label, luma)) };
    },
    dispose: () => {
      loaded.dispose();
    },
  };
}

/**
 * Scores a picture from a file.
 * @throws {@link ExitError} 78 that names the file where it does not decode
 */
export async function scoreNamed(score: ScorePicture, name: string, bytes: Uint8Array): Promise<PictureScores> {
  return score(bytes).catch((thrown: unknown) => {
    if (!(thrown instanceof ServiceError)) throw thrown;
    throw new ExitError(exitCodes.configuration, `picture can't be read: ${name}: ${thrown.detail}`, { cause: thrown });
  });
}

async function loadModel(model: ModelVersion, artefactDir: string): Promise<LoadedModel> {
  const engine = createTensorFlowEngine();
  // Read even if an artefact exists, so that damaged model files are reported.
  const files = await loadModelFiles(model);
  const found = await findArtefact(model, artefactDir, engine.tensorflowVersion ?? '');
  return engine.loadModel(model, files, found.kind === 'compiled' ? found.dir : undefined);
}

function measureClassically(label: string, luma: Luma): number {
  return classicalMeasures.get(label)?.measure(luma) ?? Number.NaN;
}
