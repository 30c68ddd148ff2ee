import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readlink, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Cache } from './cache.ts';
import { verifyFolder } from './inventory.ts';

const stagingPrefix = 'staging-';
/** A staging folder of a machine or network namespace whose processes can't be seen is dead after this. */
const foreignStagingMs = 2 * 60 * 60 * 1000;

/** Makes an empty staging folder beside the versions. */
export async function makeStaging(cache: Cache): Promise<string> {
  return mkdtemp(join(cache.root, `${stagingPrefix}${await nameHere()}-`));
}

/** Removes the staging folders of interrupted runs, where it can; only the holder of the lock may. */
export async function removeStaleStaging(cache: Cache): Promise<void> {
  const ours = `${stagingPrefix}${await nameHere()}-`;
  for (const name of await readdir(cache.root)) {
    const path = join(cache.root, name);
    // The lock reaches as far as a network namespace: of another one (a container, a machine) only age tells.
    if (name.startsWith(ours) || (name.startsWith(stagingPrefix) && (await isOld(path)))) {
      await rm(path, { recursive: true }).catch(() => undefined); // It is only rubbish.
    }
  }
}

/** Turns a finished folder inside `staging` into the cache folder, in one step; a damaged one gives way. */
export async function promote(finished: string, staging: string, cache: Cache, signal: AbortSignal): Promise<void> {
  try {
    await rename(finished, cache.folder);
  } catch (thrown) {
    if ((await verifyFolder(cache.folder, signal)).kind === 'whole') {
      return; // Another network namespace was faster.
    }
    if (!isNotEmpty(thrown)) {
      throw thrown;
    }
    await rename(cache.folder, join(staging, 'damaged'));
    await rename(finished, cache.folder);
  }
}

/** Names this machine and network namespace: as far as the lock reaches. */
async function nameHere(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/net').catch(() => '');
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 12);
}

async function isOld(path: string): Promise<boolean> {
  const modified = await stat(path).catch(() => undefined);
  return modified !== undefined && Date.now() - modified.mtimeMs > foreignStagingMs;
}

function isNotEmpty(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException).code;
  return code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR';
}
