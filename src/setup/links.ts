import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { toMessage } from '../errors.ts';
import { bindingPath, jpegPath, libraryFolder } from './cache.ts';
import { UnavailableError } from './unavailable-error.ts';

/** Tells whether tfjs-node in `packageFolder` uses the libraries of `cacheFolder`. */
export async function isLinked(packageFolder: string, cacheFolder: string): Promise<boolean> {
  const links = await Promise.all(
    toLinks(packageFolder, cacheFolder).map(({ path, target }) => pointsTo(path, target)),
  );
  return links.every(Boolean);
}

/**
 * Makes tfjs-node in `packageFolder` use the libraries of `cacheFolder`; what was there instead gives way.
 * @throws UnavailableError when the package's folder can't be changed.
 */
export async function linkLibrary(packageFolder: string, cacheFolder: string): Promise<void> {
  for (const { path, target } of toLinks(packageFolder, cacheFolder)) {
    if (!(await pointsTo(path, target))) {
      try {
        await mkdir(dirname(path), { recursive: true });
        await replaceByLink(path, target);
      } catch (cause) {
        // Node adds both whole paths after a comma.
        const [why = ''] = toMessage(cause).split(',');
        throw new UnavailableError(`TensorFlow can't be linked into ${packageFolder}: ${why}`, { cause });
      }
    }
  }
}

function toLinks(packageFolder: string, cacheFolder: string): { path: string; target: string }[] {
  return [libraryFolder, bindingPath, jpegPath].map((name) => ({
    path: join(packageFolder, name),
    target: join(cacheFolder, name),
  }));
}

async function pointsTo(path: string, target: string): Promise<boolean> {
  return (await readlink(path).catch(() => undefined)) === target;
}

/** Renames a finished link into place, so that no moment shows half of it and two processes may do it at once. */
async function replaceByLink(path: string, target: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await symlink(target, temporary);
  try {
    if ((await lstat(path).catch(() => undefined))?.isDirectory()) {
      // A link can't be renamed over a real folder, as tfjs-node's own installer makes it.
      const replaced = `${temporary}.replaced`;
      await rename(path, replaced);
      await rename(temporary, path);
      await rm(replaced, { recursive: true });
    } else {
      await rename(temporary, path);
    }
  } finally {
    await rm(temporary, { force: true });
  }
}
