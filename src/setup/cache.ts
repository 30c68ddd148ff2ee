import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exitCodes, ExitError, toMessage } from '../errors.ts';
import { findUserCache } from '../user-cache.ts';
import { compilerFlags } from './compiler.ts';
import { hashSources } from './package-folder.ts';
import { UnavailableError } from './unavailable-error.ts';
import type { Wheel } from './wheel.ts';

/** The cache of one TensorFlow version, built for one binding. */
export interface Cache {
  /** Holds all versions and the staging folders. */
  readonly root: string;
  /** Exists only when complete, apart from external damage. */
  readonly folder: string;
}

/** Increment when the layout of a folder changes. */
const layoutVersion = 2;
/** For headers, objects and file system blocks, in addition to the wheel and its unpacked files. */
const spareBytes = 64 * 1024 * 1024;
/** World-readable, so that the service can run as another user than the one that set it up. */
export const folderMode = 0o755;

/**
 * Locates the user's cache for `wheel`, the binding in `packageFolder` and our own addon.
 * @throws UnavailableError for a user without a home and without XDG_CACHE_HOME.
 */
export async function locateCache(environment: NodeJS.ProcessEnv, packageFolder: string, wheel: Wheel): Promise<Cache> {
  const userCache = findUserCache(environment);
  if (userCache === undefined) throw new UnavailableError('this user has no home for a cache; set XDG_CACHE_HOME');
  const hash = createHash('sha256')
    .update(JSON.stringify([layoutVersion, wheel.sha256, compilerFlags, await hashSources(packageFolder)]))
    .digest('hex')
    .slice(0, 16);
  const root = join(userCache, 'tensorflow');
  return { root, folder: join(root, `${wheel.version}-${process.platform}-${process.arch}-${hash}`) };
}

/**
 * Creates the cache's root, writable by its owner only.
 * @throws ExitError 73 when it can't be made or written to.
 */
export async function makeRoot(cache: Cache): Promise<void> {
  try {
    await mkdir(cache.root, { recursive: true, mode: folderMode });
    for (const folder of [cache.root, dirname(cache.root)]) await closeToOthers(folder);
    await rm(await mkdtemp(join(cache.root, 'staging-test-')), { recursive: true });
  } catch (cause) {
    const message = `the cache folder ${cache.root} is not writable (${toMessage(cause)}); set XDG_CACHE_HOME`;
    throw new ExitError(exitCodes.cacheNotWritable, message, { cause });
  }
}

/** With a umask of 002, the default of many systems, the user's group could write; folders of other users stay as is. */
async function closeToOthers(folder: string): Promise<void> {
  const { mode } = await stat(folder);
  if ((mode & 0o022) !== 0) await chmod(folder, mode & ~0o022).catch(() => undefined);
}

/** @throws UnavailableError when the disk has no room for the setup. */
export async function checkFreeSpace(cache: Cache, wheel: Wheel): Promise<void> {
  const needed = wheel.bytes + wheel.unpackedBytes + spareBytes;
  const { bavail, bsize } = await statfs(cache.root);
  if (bavail * bsize < needed) {
    const room = `${toMegabytes(needed)} MB, and ${toMegabytes(bavail * bsize)} MB are free`;
    throw new UnavailableError(`setting up TensorFlow in ${cache.root} needs ${room}`);
  }
}

function toMegabytes(bytes: number): string {
  return String(Math.round(bytes / 1e6));
}
