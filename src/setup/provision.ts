import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { acquireLock, LockError } from '../lock.ts';
import { nativeFiles } from '../native-library.ts';
import { type Cache, checkFreeSpace, makeRoot } from './cache.ts';
import { type AddonParts, compileAddon, type Compiler, findCompiler, measureCompiling } from './compiler.ts';
import { sealFolder, verifyFolder } from './inventory.ts';
import { findNodeApiHeaders, jpegSource, listBindingSources } from './package-folder.ts';
import { downloadWheel, findPip } from './pip.ts';
import type { Progress } from './progress.ts';
import { makeStaging, promote, removeStaleStaging } from './staging.ts';
import { UnavailableError } from './unavailable-error.ts';
import { libraryFiles, wantedMembers, type Wheel } from './wheel.ts';
import { measureFolder, unpackWheel } from './wheel-file.ts';

/** Longer than the sum of the holder's timeouts. */
const lockTimeoutMs = 30 * 60_000;

/** Inputs of the provisioning. */
export interface ProvisionOptions {
  readonly cache: Cache;
  readonly wheel: Wheel;
  /** Of tfjs-node. */
  readonly packageFolder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

interface Tools {
  readonly compiler: Compiler;
  /** Folder with `node_api.h`. */
  readonly nodeApiHeaders: string;
}

/**
 * Fills the cache with TensorFlow's libraries and the compiled addons, unless it is complete.
 * Concurrent processes wait for the one that does it.
 * @throws UnavailableError when this machine can't; ExitError 73 when the cache is not writable
 */
export async function provisionLibrary(options: ProvisionOptions): Promise<void> {
  const { cache, environment, signal, progress } = options;
  const isWhole = async (): Promise<boolean> => (await verifyFolder(cache.folder, signal)).kind === 'whole';
  if (await isWhole()) return;
  // Missing tools are reported before 200 MB are downloaded.
  const nodeApiHeaders = findNodeApiHeaders();
  const [compiler] = await Promise.all([findCompiler(environment, signal), findPip(environment, signal)]);
  await makeRoot(cache);
  const lock = await acquireLock(join(cache.root, 'locks'), basename(cache.folder), {
    signal,
    timeoutMs: lockTimeoutMs,
    onWait: () => {
      progress.say('another process is setting up TensorFlow, waiting for it');
    },
  }).catch((thrown: unknown) => {
    throw thrown instanceof LockError ? new UnavailableError(`setting up TensorFlow: ${thrown.message}`) : thrown;
  });
  try {
    if (!(await isWhole())) {
      await removeStaleStaging(cache);
      await checkFreeSpace(cache, options.wheel);
      await fillCache(options, { compiler, nodeApiHeaders });
    }
  } finally {
    lock.release();
  }
}

async function fillCache(options: ProvisionOptions, tools: Tools): Promise<void> {
  const staging = await makeStaging(options.cache);
  try {
    const unpacked = await fetchLibraries(options, staging);
    const finished = join(staging, 'finished');
    await mkdir(join(finished, nativeFiles.libraries), { recursive: true });
    await mkdir(join(finished, dirname(nativeFiles.binding)), { recursive: true });
    for (const file of libraryFiles) {
      await rename(join(unpacked, file), join(finished, nativeFiles.libraries, file));
    }
    await buildAddons(options, tools, { staging, finished, headers: join(unpacked, 'include') });
    await sealFolder(finished, options.signal);
    await promote(finished, staging, options.cache, options.signal);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Downloads and unpacks; returns the folder with the libraries and `include`. */
async function fetchLibraries(options: ProvisionOptions, staging: string): Promise<string> {
  const { wheel, environment, signal, progress } = options;
  const downloads = join(staging, 'download');
  const unpacked = join(staging, 'unpacked');
  await mkdir(downloads);
  await mkdir(unpacked);
  const title = `downloading TensorFlow ${wheel.version} (${String(Math.round(wheel.bytes / 1e6))} MB) with pip`;
  const measureDownload = async (): Promise<number> => (await measureFolder(downloads)) / wheel.bytes;
  const path = await progress.runStep({ title, measure: measureDownload }, () =>
    downloadWheel(wheel, downloads, environment, signal),
  );
  const measureUnpacking = async (): Promise<number> => (await measureFolder(unpacked)) / wheel.unpackedBytes;
  await progress.runStep({ title: 'unpacking TensorFlow', measure: measureUnpacking }, () =>
    unpackWheel(path, unpacked, wantedMembers, { environment, signal }),
  );
  await rm(downloads, { recursive: true });
  return join(unpacked, 'tensorflow');
}

async function buildAddons(
  options: ProvisionOptions,
  { compiler, nodeApiHeaders }: Tools,
  folders: { staging: string; finished: string; headers: string },
): Promise<void> {
  const { headers } = folders;
  const addons: readonly AddonParts[] = await Promise.all([
    toParts(await listBindingSources(options.packageFolder), [headers, nodeApiHeaders], nativeFiles.binding, folders),
    toParts(
      [jpegSource],
      [headers, join(headers, 'external', 'libjpeg_turbo'), nodeApiHeaders],
      nativeFiles.jpeg,
      folders,
    ),
  ]);
  const title = `compiling tfjs-node's binding and the JPEG decoder with ${compiler.command}`;
  await options.progress.runStep({ title, measure: () => measureCompiling(addons) }, async () => {
    const runs = addons.map((addon) => {
      // A killed compiler leaves its temporary files: they go with the staging folder.
      const environment = { ...options.environment, TMPDIR: addon.objectFolder };
      return compileAddon(compiler, addon, environment, options.signal);
    });
    await Promise.allSettled(runs);
    await Promise.all(runs);
  });
}

async function toParts(
  sources: readonly string[],
  includeFolders: readonly string[],
  path: string,
  { staging, finished }: { staging: string; finished: string },
): Promise<AddonParts> {
  return {
    sources,
    includeFolders,
    libraries: libraryFiles.map((file) => join(finished, nativeFiles.libraries, file)),
    objectFolder: await mkdtemp(join(staging, 'objects-')),
    output: join(finished, path),
  };
}
