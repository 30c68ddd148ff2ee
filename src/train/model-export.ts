import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { exitCodes, ExitError, toMessage } from '../errors.ts';
import type { TensorFlow } from '../inference/engines/tensorflow.ts';
import { type Manifest, toManifest } from '../model/manifest.ts';
import { toFileHash } from '../model/model-files.ts';
import { toPictures } from './learning/batch.ts';
import { toNamedPolicies } from './learning/named-policies.ts';
import { normalise } from './learning/network.ts';
import { drawGoldenPictures } from './samples/golden-pictures.ts';
import { qualityLabels } from './samples/labels.ts';
import { inputShape, toMapSize } from './samples/network-input.ts';
import { toRaster } from './samples/samples.ts';

const manifestFile = 'manifest.json';
/** Tolerance of golden scores: engines and versions of image libraries differ by less. */
const tolerance = 0.02;

/** Documents written beside the network. */
export interface ModelDocuments {
  readonly policy: Manifest['policy'];
  readonly card: string;
  /** Record of the training for `training.json`. */
  readonly training: object;
}

/**
 * Checks that a folder may be replaced by a model.
 * @throws {@link ExitError} 78 where it holds something other than a model or can't be read.
 */
export async function assertReplaceable(outDir: string): Promise<void> {
  const names = await readdir(outDir).catch((thrown: unknown): string[] => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw new ExitError(exitCodes.configuration, `the output folder can't be read: ${toMessage(thrown)}`, {
      cause: thrown,
    });
  });
  if (names.length === 0 || names.includes(manifestFile)) return;
  throw new ExitError(exitCodes.configuration, `${outDir} holds something other than a model and is not replaced`);
}

/** Writes a version's folder: network, golden images, manifest, documents. The previous content is deleted last. */
export async function exportModel(
  tf: TensorFlow,
  network: LayersModel,
  outDir: string,
  { policy, card, training }: ModelDocuments,
): Promise<void> {
  const target = path.resolve(outDir);
  const staging = `${target}.partial`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(path.join(staging, 'golden'), { recursive: true });
  await network.save(`file://${staging}`);
  const manifest = {
    format: 'tfjs-layers',
    input: { ...inputShape, colour: 'rgb', normalise },
    output: {
      kind: 'multi-label',
      activation: 'none',
      labels: qualityLabels,
      // tfjs numbers the outputs of a layers model.
      tensor: '0',
      map: { tensor: '1', ...toMapSize(inputShape) },
    },
    policy,
    policies: toNamedPolicies(policy),
    files: await hashFiles(staging),
    golden: await exportGolden(tf, network, staging),
  };
  const json = `${JSON.stringify(manifest, undefined, 2)}\n`;
  toManifest(json);
  await writeFile(path.join(staging, manifestFile), json);
  await writeFile(path.join(staging, 'MODEL_CARD.md'), card);
  await writeFile(path.join(staging, 'training.json'), `${JSON.stringify(training, undefined, 2)}\n`);
  await rm(target, { recursive: true, force: true });
  await rename(staging, target);
}

async function hashFiles(dir: string): Promise<Record<string, string>> {
  const entries = await readdir(dir, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const hashes = files.sort().map(async (file) => [file, toFileHash(await readFile(path.join(dir, file)))] as const);
  return Object.fromEntries(await Promise.all(hashes));
}

async function exportGolden(tf: TensorFlow, network: LayersModel, dir: string): Promise<object[]> {
  const golden: object[] = [];
  for (const { name, bytes } of await drawGoldenPictures()) {
    const image = `golden/${name}.jpg`;
    await writeFile(path.join(dir, image), bytes);
    const raster = await toRaster(bytes, inputShape);
    const scores = tf.tidy(() => {
      const [whole] = network.apply(toPictures(tf, [raster], inputShape)) as Tensor[];
      return [...(whole?.dataSync<'float32'>() ?? [])];
    });
    golden.push({ image, scores: scores.map((score) => Number(score.toFixed(6))), tolerance });
  }
  return golden;
}
