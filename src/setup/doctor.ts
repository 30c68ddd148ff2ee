import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toMessage } from '../errors.ts';
import { toLibraryEnvironment } from '../native-library.ts';
import { type Cache, locateCache } from './cache.ts';
import { findCompiler } from './compiler.ts';
import { runInterruptibly } from './interruption.ts';
import { verifyFolder } from './inventory.ts';
import { describeMachine, findObstacle, isWithoutAvx, type Machine } from './machine.ts';
import { findForeignAccess } from './ownership.ts';
import { findPip } from './pip.ts';
import { defaultProbe, probeEngine } from './probing.ts';
import { completeOptions, type SetupOptions } from './setup-options.ts';

/** Result of one check; `fix` says what to do about a failed one. */
export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string;
}

/** What the checks inspect. */
interface Subject {
  readonly options: SetupOptions;
  readonly machine: Machine;
  readonly signal: AbortSignal;
}

const setUpFix = 'run image-check setup';

/** Checks everything that the engines need; changes nothing. */
export async function diagnose(options: SetupOptions): Promise<Finding[]> {
  return runInterruptibly(async (signal) => {
    const subject: Subject = { options, machine: describeMachine(), signal };
    const library = await checkLibrary(subject);
    const isSetUp = library.every(({ ok }) => ok);
    return [
      checkNode(),
      checkPlatform(subject),
      checkCpu(subject),
      await checkTool('python3 with pip', isSetUp, 'install python3 and pip (Debian: apt install python3-pip)', () =>
        findPip(options.environment, signal),
      ),
      await checkTool(
        'C++17 compiler',
        isSetUp,
        'install g++ or clang, or set CXX (Debian: apt install g++)',
        async () => {
          const { command, args } = await findCompiler(options.environment, signal);
          return [command, ...args].join(' ');
        },
      ),
      ...library,
      await checkEngine(
        subject,
        'tensorflow',
        isSetUp ? 'remove the cache folder, then run image-check setup' : setUpFix,
      ),
      await checkEngine(subject, 'wasm', 'run npm ci'),
    ];
  });
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return toFinding('Node.js', ok, process.version, 'install Node.js 20.19 or newer');
}

function checkPlatform({ machine }: Subject): Finding {
  const { platform, arch, glibc } = machine;
  const library = glibc === undefined ? 'another C library than glibc' : `glibc ${glibc}`;
  // The CPU has a check of its own.
  const ok = findObstacle({ ...machine, cpuFlags: [] }) === undefined;
  const fix = 'native TensorFlow needs linux x64 with glibc; the wasm engine runs everywhere';
  return toFinding('platform', ok, `${platform} ${arch}, ${library}`, fix);
}

function checkCpu({ machine }: Subject): Finding {
  const vectors = machine.cpuFlags.filter((flag) => /^(avx|avx2|avx512f|fma)$/.test(flag));
  const known = vectors.length > 0 ? vectors.join(' ') : 'no AVX';
  const detail = `${machine.cpuModel}: ${machine.cpuFlags.length > 0 ? known : 'instruction sets unknown'}`;
  return toFinding('CPU with AVX', !isWithoutAvx(machine), detail, 'use a CPU (or a virtual one) with AVX');
}

async function checkTool(check: string, isSetUp: boolean, fix: string, find: () => Promise<string>): Promise<Finding> {
  try {
    return toFinding(check, true, await find(), fix);
  } catch (thrown) {
    const detail = toMessage(thrown);
    return toFinding(check, isSetUp, isSetUp ? `${detail}; not needed: the library is set up` : detail, fix);
  }
}

/** Checks the package, the cache and its permissions, as far as each exists. */
async function checkLibrary({ options, signal }: Subject): Promise<Finding[]> {
  let packageFolder: string;
  let cache: Cache;
  try {
    const { environment, wheel, ...found } = completeOptions(options);
    packageFolder = found.packageFolder;
    cache = await locateCache(environment, packageFolder, wheel);
  } catch (thrown) {
    return [toFinding('tfjs-node', false, toMessage(thrown), 'run npm ci without --omit=optional')];
  }
  const library = await checkCache(cache, signal);
  return [toFinding('tfjs-node', true, packageFolder, ''), library, ...(library.ok ? [await checkOwner(cache)] : [])];
}

async function checkOwner(cache: Cache): Promise<Finding> {
  const foreign = await findForeignAccess(cache.folder);
  const fix = "chown it to root or the service's user, and chmod go-w";
  return toFinding('owner of the library', foreign === undefined, foreign ?? 'root or this user alone', fix);
}

async function checkCache(cache: Cache, signal: AbortSignal): Promise<Finding> {
  const check = 'TensorFlow library in the cache';
  const integrity = await verifyFolder(cache.folder, signal);
  if (integrity.kind === 'whole') return toFinding(check, true, cache.folder, '');
  if (integrity.kind === 'damaged') {
    return toFinding(check, false, `${integrity.file} in ${cache.folder} is damaged`, setUpFix);
  }
  if (await isWritable(cache.root)) {
    return toFinding(check, false, `not in ${cache.folder}`, setUpFix);
  }
  return toFinding(check, false, `${cache.root} is not writable`, 'make it writable or set XDG_CACHE_HOME');
}

async function checkEngine(
  { options, machine, signal }: Subject,
  engine: 'tensorflow' | 'wasm',
  fix: string,
): Promise<Finding> {
  const check = `${engine} engine`;
  try {
    const { probe = defaultProbe } = options;
    const environment = { ...options.environment, ...(engine === 'tensorflow' && (await findLibrary(options))) };
    const version = await probeEngine({ engine, environment, signal, ...probe }, machine);
    return toFinding(check, true, `${version} runs`, fix);
  } catch (thrown) {
    return toFinding(check, false, toMessage(thrown), fix);
  }
}

async function findLibrary(options: SetupOptions): Promise<Record<string, string>> {
  const { environment, packageFolder, wheel } = completeOptions(options);
  return toLibraryEnvironment((await locateCache(environment, packageFolder, wheel)).folder);
}

function toFinding(check: string, ok: boolean, detail: string, fix: string): Finding {
  return ok ? { check, ok, detail } : { check, ok, detail, fix };
}

/** A folder that doesn't exist yet is writable when the nearest one above it is. */
async function isWritable(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK);
    return true;
  } catch (thrown) {
    const isMissing = (thrown as NodeJS.ErrnoException).code === 'ENOENT';
    return isMissing && dirname(folder) !== folder && isWritable(dirname(folder));
  }
}
