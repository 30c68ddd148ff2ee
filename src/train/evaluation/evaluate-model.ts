import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { exitCodes, ExitError, toMessage } from '../../errors.ts';
import { type Manifest, toManifest } from '../../model/manifest.ts';
import { type ModelVersion, toModelKey } from '../../model/model-version.ts';
import { qualityLabels } from '../samples/labels.ts';
import { loadNamedPhotos } from '../samples/photos.ts';
import { evaluatePictures, type Evaluation } from './evaluation.ts';
import { findHeldOut, type HeldOut } from './held-out.ts';
import { renderLabelledPictures } from './held-out-pictures.ts';
import { measureInvariance, type VariantFigures } from './invariance.ts';
import { createPictureScorer, type ScorerOptions } from './picture-scorer.ts';
import { evaluateReal, listRealFolders, type RealFigures, type RealFolder } from './real-pictures.ts';

/** Arguments of `image-check evaluate`. */
export interface EvaluationRequest {
  /** Folder of a version, such as `models/quality/2`. */
  readonly modelDir: string;
  readonly photosDir: string;
  readonly realDir: string | undefined;
  readonly seed: number;
}

/** A validated evaluation: everything that is cheap to check has been checked. */
export interface EvaluationPlan {
  readonly request: EvaluationRequest;
  readonly model: ModelVersion;
  readonly heldOut: HeldOut;
  readonly realFolders: readonly RealFolder[] | undefined;
}

/** All figures of a model. */
export interface ModelEvaluation {
  /** `name@version` */
  readonly model: string;
  readonly form: string;
  readonly seed: number;
  readonly heldOut: HeldOut;
  readonly synthetic: Evaluation;
  readonly invariance: readonly VariantFigures[];
  readonly real?: RealFigures;
}

/**
 * Validates a request: reads the model's manifest and lists the pictures.
 * @throws {@link ExitError} 78 where an argument is invalid or something is missing
 */
export async function planEvaluation(request: EvaluationRequest): Promise<EvaluationPlan> {
  const { modelDir, photosDir, realDir, seed } = request;
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ExitError(exitCodes.configuration, `seed must be a whole number from 0: ${String(seed)}`);
  }
  const model = await loadModel(modelDir);
  const { labels } = model.manifest.output;
  if (labels.join() !== qualityLabels.join()) {
    const message = `${modelDir} has the labels ${labels.join(', ')}; evaluation needs ${qualityLabels.join(', ')}`;
    throw new ExitError(exitCodes.configuration, message);
  }
  const heldOut = await findHeldOut(modelDir, photosDir);
  return {
    request,
    model,
    heldOut,
    realFolders: realDir === undefined ? undefined : await listRealFolders(realDir, labels),
  };
}

/**
 * Evaluates a model on held-out photographs with degradations of known strength, and on real pictures.
 * @throws {@link ExitError} 78 where the model can't be loaded or a picture can't be read
 */
export async function evaluateModel(
  { request, model, heldOut, realFolders }: EvaluationPlan,
  options: ScorerOptions & { readonly onProgress: (phase: string, done: number, total: number) => void },
): Promise<ModelEvaluation> {
  const { onProgress } = options;
  const scorer = await createPictureScorer(model, options);
  try {
    const real =
      realFolders &&
      (await evaluateReal(realFolders, scorer.score, model.manifest, (done, total) => {
        onProgress('real pictures', done, total);
      }));
    const photos = await loadNamedPhotos(request.photosDir, heldOut.files, (done, total) => {
      onProgress('photographs', done, total);
    });
    const seen = new Set<string>();
    const pictures = renderLabelledPictures(photos, request.seed);
    const synthetic = await evaluatePictures(pictures, scorer.score, model.manifest, (photo) => {
      onProgress('evaluation', seen.add(photo).size, photos.length);
    });
    const invariance = await measureInvariance(photos, scorer.infer, model.manifest, (done, total) => {
      onProgress('invariance', done, total);
    });
    return {
      ...{ model: toModelKey(model), form: scorer.form, seed: request.seed, heldOut, synthetic, invariance },
      ...(real && { real }),
    };
  } finally {
    scorer.dispose();
  }
}

async function loadModel(modelDir: string): Promise<ModelVersion> {
  const dir = path.resolve(modelDir);
  const [name, version] = [path.basename(path.dirname(dir)), path.basename(dir)];
  return { name, version, dir, manifest: await loadManifest(dir, modelDir) };
}

async function loadManifest(dir: string, shown: string): Promise<Manifest> {
  try {
    return toManifest(await readFile(path.join(dir, 'manifest.json'), 'utf8'));
  } catch (thrown) {
    const isMissing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    const reason = isMissing ? 'manifest.json is missing' : `manifest.json: ${toMessage(thrown)}`;
    throw new ExitError(exitCodes.configuration, `${shown} is not a model version: ${reason}`, { cause: thrown });
  }
}
