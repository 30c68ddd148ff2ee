import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { toMessage } from '../errors.ts';

/** One picture to check; a failed read is an outcome of its own. */
export interface Picture {
  readonly name: string;
  read(): Promise<Uint8Array>;
}

/** Lists the pictures that the arguments name: files, the files of folders, `-` for standard input. */
export async function listPictures(names: readonly string[], isRecursive: boolean): Promise<Picture[]> {
  const lists = await Promise.all(names.map((name) => listOne(name, isRecursive)));
  return lists.flat();
}

async function listOne(name: string, isRecursive: boolean): Promise<Picture[]> {
  if (name === '-') return [{ name, read: () => buffer(process.stdin) }];
  const found = await stat(name).catch(() => undefined);
  if (!found?.isDirectory()) return [toPicture(name)];
  const entries = await readdir(name, { withFileTypes: true, recursive: isRecursive });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return files.sort().map(toPicture);
}

function toPicture(name: string): Picture {
  const read = async (): Promise<Uint8Array> => {
    try {
      return await readFile(name);
    } catch (thrown) {
      throw new Error(`can't be read: ${toMessage(thrown)}`, { cause: thrown });
    }
  };
  return { name, read };
}
