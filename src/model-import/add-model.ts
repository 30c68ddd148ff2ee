import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ones, tidy } from '@tensorflow/tfjs-core';
import { compileModel, type CompileOptions, type CompileOutcome } from '../compile/compile-model.ts';
import type { DecodeLimits } from '../image/types.ts';
import { loadTensorFlow, type TensorFlow } from '../inference/engines/tensorflow.ts';
import { loadTfjsNetwork } from '../inference/engines/tfjs-model.ts';
import { type Manifest, toManifest } from '../model/manifest.ts';
import { loadModelFiles, toFileHash } from '../model/model-files.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { describeNetwork, type NetworkFacts, type TensorFacts } from './describe-network.ts';
import { decodeGolden, loadGoldenImages, scoreGolden, verifyStored } from './golden-images.ts';
import { type FoundModel, inspectModel } from './inspect.ts';
import { findOutput, type ModelChoices, toLabels, toManifestInput } from './model-choices.ts';
import { assertPictureClassifier } from './picture-classifier.ts';
import { fillFolder } from './staging-folder.ts';
import { type KnownModel, loadTeachableMachine } from './teachable-machine.ts';

/** A model to add to the models folder. */
export interface AddRequest {
  /** Folder or file of the exported model. */
  readonly source: string;
  readonly modelsDir: string;
  readonly name: string;
  readonly version: string;
  readonly choices: ModelChoices;
  /** Images whose scores are recorded; if empty, one is generated. */
  readonly golden: readonly string[];
  readonly limits: DecodeLimits;
  readonly compile: Pick<CompileOptions, 'cacheDir' | 'environment'>;
}

/** Result of adding a model. */
export interface AddedModel {
  readonly model: ModelVersion;
  readonly found: FoundModel;
  readonly network: NetworkFacts;
  readonly outcome: CompileOutcome;
  /** What neither the user nor the network specified. */
  readonly guessed: { readonly labels: boolean; readonly normalise: boolean };
  /** Whether labels and input come from a metadata.json of Teachable Machine. */
  readonly isKnown: boolean;
}

/**
 * Adds a model to the models folder: copies and inspects it, writes its manifest with hashes and golden scores, compiles it and
 * verifies the result. The version appears complete or not at all.
 * @throws Error that names the file and the fault
 */
export async function addModel(request: AddRequest): Promise<AddedModel> {
  const { name, version, modelsDir } = request;
  if (!/^[\w-][\w.-]*$/.test(name)) throw new Error(`--name ${name}: must be of letters, digits, '.', '_' and '-'`);
  if (!/^\d+$/.test(version)) throw new Error(`--name ${name}@${version}: a version is a whole number`);
  const found = await inspectModel(request.source);
  const known = await loadKnown(found);
  const target = path.join(path.resolve(modelsDir), name, version);
  return fillFolder(target, async (staging) => {
    await copyFiles(found, staging);
    const tf = loadTensorFlow();
    await tf.setBackend('tensorflow');
    const choices = { ...known?.choices, ...request.choices };
    const { model, network } = await writeVersion(tf, { ...request, choices }, { ...found, ...known }, staging);
    const files = await loadModelFiles(model);
    const golden = await decodeGolden(model, request.limits);
    const rasters = golden.map(({ raster }) => raster);
    const outcome = await compileModel(tf, model, files, { ...request.compile, rasters });
    await verifyStored(tf, model, files, golden, outcome);
    const { labels, scale } = choices;
    const guessed = { labels: labels === undefined, normalise: scale === undefined && network.scaling === undefined };
    const isKnown = known !== undefined;
    return { model: { ...model, dir: target }, found, network, outcome, guessed, isKnown };
  });
}

/** Teachable Machine writes labels and input size to a file beside the model. */
async function loadKnown({ format, files: [main] }: FoundModel): Promise<KnownModel | undefined> {
  switch (format) {
    case 'tf-savedmodel':
      return undefined;
    case 'tfjs-graph':
    case 'tfjs-layers':
      return main && loadTeachableMachine(path.dirname(main.path));
  }
}

async function copyFiles({ files }: FoundModel, dir: string): Promise<void> {
  for (const file of files) {
    const target = path.join(dir, file.name);
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(file.path, target);
  }
}

async function writeVersion(
  tf: TensorFlow,
  request: AddRequest,
  found: FoundModel & { readonly imageSize?: number | undefined },
  dir: string,
): Promise<{ model: ModelVersion; network: NetworkFacts }> {
  const network = await describeNetwork(tf, dir, found.format, request.choices);
  assertPictureClassifier(network);
  const choices = withSize(network, request.choices, found.imageSize);
  const draft = await draftManifest(found, network, choices, dir);
  const { name, version } = request;
  const toModel = (manifest: Manifest): ModelVersion => ({ name, version, dir, manifest });
  const labels = toLabels(await countScores(toModel(draft), findOutput(network, choices), choices), choices);
  const labelled = { ...draft, output: { ...draft.output, labels } };
  const images = await loadGoldenImages(request.golden);
  const golden = await scoreGolden(tf, toModel(labelled), images, request.limits);
  const kind = choices.kind ?? guessKind(golden, labels);
  const json = `${JSON.stringify({ ...labelled, output: { ...labelled.output, kind }, golden }, undefined, 2)}\n`;
  await writeFile(path.join(dir, 'manifest.json'), json);
  // Parsed like the service does, to fail now rather than there.
  return { model: toModel(toManifest(json)), network };
}

/** Fills in the known image size for dimensions that the network leaves open. */
function withSize({ inputs }: NetworkFacts, choices: ModelChoices, side: number | undefined): ModelChoices {
  const [, height, width] = inputs[0]?.shape ?? [];
  const isOpen = (size: number | undefined): boolean => size === undefined || size === -1;
  return {
    ...choices,
    width: choices.width ?? (isOpen(width) ? side : undefined),
    height: choices.height ?? (isOpen(height) ? side : undefined),
  };
}

/** The manifest without labels and golden scores, which need a run of the model. */
async function draftManifest(
  { format, files }: FoundModel,
  network: NetworkFacts,
  choices: ModelChoices,
  dir: string,
): Promise<Manifest> {
  const input = toManifestInput(network, choices);
  const { kind = 'multi-label', activation = 'none', labels = ['label0'], output: tensor } = choices;
  const output = { kind, activation, labels: [...labels], ...(tensor !== undefined && { tensor }) };
  const hashes: Record<string, string> = {};
  for (const { name } of files) hashes[name] = toFileHash(await readFile(path.join(dir, name)));
  return { format, input, output, policy: choices.policy ?? {}, files: hashes, golden: [] };
}

/** Number of scores by the output's shape, else by a run. */
async function countScores(
  draft: ModelVersion,
  { name, shape }: TensorFacts,
  { labels }: ModelChoices,
): Promise<number> {
  const known = shape?.[1] ?? -1;
  if (known !== -1) return known;
  switch (draft.manifest.format) {
    case 'tfjs-graph':
    case 'tfjs-layers':
      return runOnce(draft);
    case 'tf-savedmodel':
      // The first run verifies their number.
      if (labels) return labels.length;
      throw new Error(`the output ${name} has an unknown number of scores; name them with --labels`);
  }
}

async function runOnce(draft: ModelVersion): Promise<number> {
  const { width, height, colour } = draft.manifest.input;
  const network = await loadTfjsNetwork(draft, await loadModelFiles(draft));
  try {
    const shape = tidy(() => network.predict(ones([1, height, width, colour === 'grey' ? 1 : 3]), false).scores.shape);
    const [count, labels] = shape;
    if (count === 1 && labels !== undefined && shape.length === 2) return labels;
    throw new Error(`the model answers [${shape.join(', ')}] for one picture; only [n, scores] is served`);
  } finally {
    network.dispose();
  }
}

/** Scores of exclusive labels add up to 1. */
function guessKind(golden: Manifest['golden'], labels: readonly string[]): Manifest['output']['kind'] {
  const sums = golden.map(({ scores }) => scores.reduce((sum, score) => sum + score, 0));
  return labels.length > 1 && sums.every((sum) => Math.abs(sum - 1) < 1e-3) ? 'single-label' : 'multi-label';
}
