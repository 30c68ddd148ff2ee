import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { ExitError, exitCodes, toMessage } from '../errors.ts';
import type { TensorFlow } from '../inference/engines/tensorflow.ts';
import { toManifest } from '../model/manifest.ts';
import { toFileHash } from '../model/model-files.ts';
import { degradePhoto, untouched } from './degradation.ts';
import type { Degradation } from './degradation.ts';
import { scoreRasters } from './evaluation.ts';
import { policy, qualityLabels } from './labels.ts';
import { inputShape, normalise } from './network.ts';
import { toRaster } from './samples.ts';
import { drawScene } from './scene.ts';

const goldenImages: Readonly<Record<string, Degradation>> = {
  sharp: untouched,
  blurred: { ...untouched, blur: 0.02 },
  dark: { ...untouched, gain: 0.06 },
  overexposed: { ...untouched, gain: 6, offset: 80 },
};
const manifestFile = 'manifest.json';
const sceneSeed = 1;
/** Engines and versions of image libraries differ by less. */
const tolerance = 0.01;

/**
 * Refuses a folder that a model must not replace.
 * @throws {@link ExitError} 78 where it holds something else than a model, or can't be read.
 */
export async function assertReplaceable(outDir: string): Promise<void> {
  const names = await readdir(outDir).catch((thrown: unknown): string[] => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw new ExitError(exitCodes.configuration, `the model can't go there: ${toMessage(thrown)}`, { cause: thrown });
  });
  if (names.length === 0 || names.includes(manifestFile)) return;
  throw new ExitError(exitCodes.configuration, `${outDir} holds something else than a model; it is left as it is`);
}

/** Writes a version's folder: network, golden images, manifest, model card. What was there goes when all is written. */
export async function exportModel(tf: TensorFlow, network: LayersModel, outDir: string, card: string): Promise<void> {
  const target = path.resolve(outDir);
  const staging = `${target}.partial`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(path.join(staging, 'golden'), { recursive: true });
  await network.save(`file://${staging}`);
  const manifest = {
    format: 'tfjs-layers',
    input: { ...inputShape, colour: 'rgb', normalise },
    output: { kind: 'multi-label', activation: 'none', labels: qualityLabels },
    policy,
    files: await hashFiles(staging),
    golden: await exportGolden(tf, network, staging),
  };
  const json = `${JSON.stringify(manifest, undefined, 2)}\n`;
  toManifest(json);
  await writeFile(path.join(staging, manifestFile), json);
  await writeFile(path.join(staging, 'MODEL_CARD.md'), card);
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
  const scene = drawScene(sceneSeed);
  const golden: object[] = [];
  for (const [name, degradation] of Object.entries(goldenImages)) {
    const image = `golden/${name}.jpg`;
    const { jpeg } = await degradePhoto(scene, degradation);
    await writeFile(path.join(dir, image), jpeg);
    const [row = []] = scoreRasters(tf, network, await toRaster(jpeg));
    golden.push({ image, scores: row.map((score) => Number(score.toFixed(6))), tolerance });
  }
  return golden;
}
