import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadedFiles, loadedFolders } from './inventory.ts';

/**
 * Finds files that another user could replace: native code is loaded only from files and folders, up to the cache root,
 * that belong to root or to this user and are not writable by others.
 * @returns one line; undefined if there are none
 */
export async function findForeignAccess(cacheFolder: string): Promise<string | undefined> {
  const folder = await realpath(cacheFolder);
  const inside = [...loadedFolders, ...loadedFiles].map((path) => join(folder, path));
  for (const path of [dirname(dirname(folder)), dirname(folder), ...inside]) {
    const { uid, mode } = await stat(path);
    const own = process.getuid?.();
    if (own !== undefined && uid !== 0 && uid !== own) return `${path} belongs to another user (${String(uid)})`;
    if ((mode & 0o022) !== 0) return `${path} is writable by other users; run chmod go-w on it`;
  }
  return undefined;
}
