import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UnavailableError } from './unavailable-error.ts';

const require = createRequire(import.meta.url);

/**
 * Finds the folder of the installed tfjs-node.
 * @throws UnavailableError when it isn't installed.
 */
export function findTfjsNode(): string {
  return findPackage('@tensorflow/tfjs-node');
}

/**
 * Finds the folder with `node_api.h`.
 * @throws UnavailableError when the package isn't installed.
 */
export function findNodeApiHeaders(): string {
  return join(findPackage('node-api-headers'), 'include');
}

/** Lists the C++ files of tfjs-node's binding as absolute paths. */
export async function listBindingSources(packageFolder: string): Promise<string[]> {
  const files = await listBindingFiles(packageFolder);
  return files.filter((file) => file.endsWith('.cc'));
}

/** The C++ source of the JPEG decoder, which uses TensorFlow's library. */
export const jpegSource = fileURLToPath(new URL('../../src/image/native/jpeg-raster.cc', import.meta.url));

/** All sources of the JPEG decoder. */
export const jpegFiles = [jpegSource, ...['reduction.h', 'sampling.h'].map((file) => join(dirname(jpegSource), file))];

/** Hashes all compiled sources: a library built from other ones is not used. */
export async function hashSources(packageFolder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [...(await listBindingFiles(packageFolder)), ...jpegFiles]) {
    hash.update(await readFile(file));
  }
  return hash.digest('hex');
}

async function listBindingFiles(packageFolder: string): Promise<string[]> {
  const folder = join(packageFolder, 'binding');
  const names = await readdir(folder);
  return names
    .filter((name) => /\.(cc|h)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function findPackage(name: string): string {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch (cause) {
    throw new UnavailableError(`the package ${name} is not installed`, { cause });
  }
}
