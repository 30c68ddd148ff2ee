import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

import { ExitError, exitCodes, toMessage } from '../errors.ts';
import { compilerFlags } from './compiler.ts';
import { hashSources } from './package-folder.ts';
import { UnavailableError } from './unavailable-error.ts';
import { libraryFiles, type Wheel } from './wheel.ts';

/** Where the libraries of one TensorFlow version, for one binding, are kept. */
export interface Cache {
  /** Holds all versions and the staging folders. */
  readonly root: string;
  /** Exists only when complete, but for damage from outside. */
  readonly folder: string;
}

/** Paths inside the cache folder; they mirror tfjs-node's own, so that the same rpath works from both ends. */
export const bindingPath = join('lib', 'napi-v8', 'tfjs_binding.node');
export const jpegPath = join('lib', 'napi-v8', 'jpeg_raster.node');
export const libraryFolder = join('deps', 'lib');

const inventoryFile = 'inventory.json';
/** Headers, objects and file system blocks, on top of the wheel and what is unpacked of it. */
const spareBytes = 64 * 1024 * 1024;

/** Tells where the user's cache for `wheel`, the binding in `packageFolder` and our own addon is. */
export async function locateCache(environment: NodeJS.ProcessEnv, packageFolder: string, wheel: Wheel): Promise<Cache> {
  const hash = createHash('sha256')
    .update(JSON.stringify([wheel.sha256, compilerFlags, await hashSources(packageFolder)]))
    .digest('hex')
    .slice(0, 16);
  const root = join(findUserCache(environment), 'image-check', 'tensorflow');
  return { root, folder: join(root, `${wheel.version}-${process.platform}-${process.arch}-${hash}`) };
}

/** Looks whether every file is there with its size: a few stats. */
export async function isComplete(folder: string): Promise<boolean> {
  try {
    const inventory: unknown = JSON.parse(await readFile(join(folder, inventoryFile), 'utf8'));
    return JSON.stringify(inventory) === JSON.stringify(await takeInventory(folder));
  } catch {
    return false;
  }
}

/** Writes down the files of a finished folder, which makes it complete. */
export async function sealFolder(folder: string): Promise<void> {
  await writeFile(join(folder, inventoryFile), JSON.stringify(await takeInventory(folder)));
}

/**
 * Makes the cache's root.
 * @throws ExitError 73 when it can't be made or written to.
 */
export async function makeRoot(cache: Cache): Promise<void> {
  try {
    await mkdir(cache.root, { recursive: true });
    await rm(await mkdtemp(join(cache.root, 'staging-test-')), { recursive: true });
  } catch (cause) {
    const message = `the cache folder ${cache.root} is not writable (${toMessage(cause)}); set XDG_CACHE_HOME`;
    throw new ExitError(exitCodes.cacheNotWritable, message, { cause });
  }
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

function findUserCache(environment: NodeJS.ProcessEnv): string {
  const configured = environment['XDG_CACHE_HOME'];
  // The XDG base directory specification: a relative path is invalid and to be ignored.
  return configured !== undefined && isAbsolute(configured)
    ? configured
    : join(environment['HOME'] ?? homedir(), '.cache');
}

async function takeInventory(folder: string): Promise<Record<string, number>> {
  const inventory: Record<string, number> = {};
  for (const file of [bindingPath, jpegPath, ...libraryFiles.map((name) => join(libraryFolder, name))]) {
    inventory[file] = (await stat(join(folder, file))).size;
  }
  return inventory;
}

function toMegabytes(bytes: number): string {
  return String(Math.round(bytes / 1e6));
}
