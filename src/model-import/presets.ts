import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { toMessage } from '../errors.ts';
import { readDataModule } from './data-module.ts';
import type { ModelChoices } from './model-choices.ts';

/** A model inside an npm package, with the settings that it needs. */
export interface Preset {
  readonly packageName: string;
  /** Default name in the models folder. */
  readonly name: string;
  readonly choices: ModelChoices;
  /** Path in the package of the JavaScript file with the model.json. */
  readonly topology: string;
  /** Path in the package of the JavaScript file with a shard in base64, by its name in model.json. */
  readonly toShard: (name: string) => string;
}

/** nsfwjs's own classes (dist/esm/nsfw_classes.js) and preprocessing (dist/esm/core.js, `infer`). */
const nsfwChoices: ModelChoices = {
  labels: ['drawing', 'hentai', 'neutral', 'porn', 'sexy'],
  resize: 'stretch',
  kernel: 'bilinear',
  coordinates: 'align-corners',
  // The default of tf.node.decodeImage, which nsfwjs uses for files in Node.
  jpegDct: 'fast',
  scale: 1 / 255,
  offset: 0,
  activation: 'none',
  kind: 'single-label',
  policy: {
    porn: { review: 0.5, reject: 0.8 },
    hentai: { review: 0.5, reject: 0.8 },
    sexy: { review: 0.7 },
  },
};

function toNsfwPreset(name: string, folder: string): Preset {
  const toFile = (file: string): string => `dist/models/${folder}/${file}.min.js`;
  return { packageName: 'nsfwjs', name, choices: nsfwChoices, topology: toFile('model'), toShard: toFile };
}

/** Presets by their names after `npm:`; the first of a package is its default model. */
export const presets: ReadonlyMap<string, Preset> = new Map([
  ['nsfwjs', toNsfwPreset('nsfw', 'mobilenet_v2')],
  ['nsfwjs/mobilenet_v2_mid', toNsfwPreset('nsfw-mid', 'mobilenet_v2_mid')],
  ['nsfwjs/inception_v3', toNsfwPreset('nsfw-inception', 'inception_v3')],
]);

/**
 * Unpacks a preset's model into a new temporary folder, which the caller removes. No code of the package is run.
 * @param packageDir the folder of the package's package.json
 * @throws Error that names the file and the fault
 */
export async function unpackPreset(preset: Preset, packageDir: string): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'image-check-preset-'));
  try {
    const model = await readModule(path.join(packageDir, preset.topology));
    await writeFile(path.join(dir, 'model.json'), JSON.stringify(model));
    for (const name of listShards(preset, model)) {
      const base64 = await readModule(path.join(packageDir, preset.toShard(name)));
      if (typeof base64 !== 'string') throw new Error(`${preset.toShard(name)}: holds no weights`);
      await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
      await writeFile(path.join(dir, name), Buffer.from(base64, 'base64'));
    }
    return dir;
  } catch (thrown) {
    await rm(dir, { recursive: true, force: true });
    throw thrown;
  }
}

function listShards({ topology }: Preset, model: unknown): string[] {
  const { weightsManifest } = (model ?? {}) as { weightsManifest?: unknown };
  const groups: unknown[] = Array.isArray(weightsManifest) ? weightsManifest : [];
  const names = groups.flatMap((group) => (group as { paths?: unknown } | null)?.paths ?? []);
  const isUsable = (name: unknown): name is string => typeof name === 'string' && /^[\w.-]+$/.test(name);
  if (names.length > 0 && names.every(isUsable)) return names;
  throw new Error(`${topology}: holds no model with weights`);
}

async function readModule(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    throw new Error(`${file}: can't be read: ${toMessage(thrown)}`, { cause: thrown });
  });
  try {
    return readDataModule(text);
  } catch (thrown) {
    throw new Error(`${file}: ${toMessage(thrown)}`, { cause: thrown });
  }
}
