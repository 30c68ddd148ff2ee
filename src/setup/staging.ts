import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readlink, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Cache } from './cache.ts';
import { verifyFolder } from './inventory.ts';

const stagingPrefix = 'staging-';
/** Age at which a staging folder of another machine or network namespace counts as abandoned. */
const foreignStagingMs = 2 * 60 * 60 * 1000;

/** Creates an empty staging folder beside the versions. */
export async function makeStaging(cache: Cache): Promise<string> {
  return mkdtemp(join(cache.root, `${stagingPrefix}${await nameHere()}-`));
}

/** Removes staging folders of interrupted runs, best effort; call it only while holding the lock. */
export async function removeStaleStaging(cache: Cache): Promise<void> {
  const ours = `${stagingPrefix}${await nameHere()}-`;
  for (const name of await readdir(cache.root)) {
    const path = join(cache.root, name);
    // The lock is local to a network namespace: in others (containers, machines) only age is evidence.
    if (name.startsWith(ours) || (name.startsWith(stagingPrefix) && (await isOld(path)))) {
      await rm(path, { recursive: true }).catch(() => undefined); // Best effort.
    }
  }
}

/** Atomically renames a finished folder inside `staging` to the cache folder; replaces a damaged one. */
export async function promote(finished: string, staging: string, cache: Cache, signal: AbortSignal): Promise<void> {
  try {
    await rename(finished, cache.folder);
  } catch (thrown) {
    if ((await verifyFolder(cache.folder, signal)).kind === 'whole') return; // Another network namespace finished first.
    if (!isNotEmpty(thrown)) throw thrown;
    await rename(cache.folder, join(staging, 'damaged'));
    await rename(finished, cache.folder);
  }
}

/** Identifies the scope of the lock: this machine and network namespace. */
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
