import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { toMessage } from '../errors.ts';
import type { ModelVersion } from './model-version.ts';

/** The hash of a file as manifests write it. */
export function toFileHash(bytes: Uint8Array): string {
  return `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
}

/**
 * Reads all files of a model and compares their hashes.
 * @throws Error that names the file and what is wrong with it.
 */
export async function loadModelFiles(model: ModelVersion): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const [name, hash] of Object.entries(model.manifest.files)) {
    const bytes = await readFile(path.join(model.dir, name)).catch((thrown: unknown) => {
      throw new Error(`${name}: can't be read: ${toMessage(thrown)}`, { cause: thrown });
    });
    const found = toFileHash(bytes);
    if (found !== hash) throw new Error(`${name}: its hash is ${found}, the manifest says ${hash}`);
    files.set(name, bytes);
  }
  return files;
}
