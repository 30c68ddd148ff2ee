import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNativeLibrary, nativeFiles, toLibraryEnvironment } from '../src/native-library.ts';
import { runChild } from '../src/setup/child.ts';
import { type AddonParts, compileAddon, type Compiler, compilerFlags, findCompiler } from '../src/setup/compiler.ts';
import { findNodeApiHeaders, jpegFiles, jpegSource } from '../src/setup/package-folder.ts';
import { downloadWheel } from '../src/setup/pip.ts';
import { UnavailableError } from '../src/setup/unavailable-error.ts';
import { libraryFiles, tensorflowWheel, wantedMembers } from '../src/setup/wheel.ts';
import { unpackWheel } from '../src/setup/wheel-file.ts';
import { findUserCache } from '../src/user-cache.ts';

/** The JPEG addon under AddressSanitizer and UBSan, for processes that are started with `environment`. */
export interface SanitizedAddon {
  readonly environment: NodeJS.ProcessEnv;
  /** An addon with errors that must be found. */
  readonly plantedErrors: string;
}

const flags = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer', '-g'];
const plantedSource = fileURLToPath(new URL('native/planted-errors.cc', import.meta.url));
const plantedFile = path.join('lib', 'napi-v8', 'planted_errors.node');
const { signal } = new AbortController();

/**
 * Compiles the addon with sanitizers, once for each version of it; that needs TensorFlow's headers, which are downloaded.
 * @throws UnavailableError where this machine can't.
 */
export async function buildSanitizedAddon(): Promise<SanitizedAddon> {
  const native = findNativeLibrary();
  if (native === undefined) throw new UnavailableError('native TensorFlow is not set up');
  const found = await findCompiler(process.env, signal);
  const preload = await findRuntime(found);
  const compiler = { ...found, args: [...found.args, ...flags] };
  const cache = findUserCache(process.env);
  if (cache === undefined) throw new UnavailableError('this user has no home for a cache; set XDG_CACHE_HOME');
  const root = path.join(cache, 'sanitized');
  const folder = path.join(root, await toKey(compiler, native));
  if (!existsSync(folder)) await build(compiler, native, root, folder);
  return {
    environment: {
      ...process.env,
      ...toLibraryEnvironment(folder),
      LD_PRELOAD: preload,
      // Node itself frees little of its memory at exit.
      ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1',
      UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
    },
    plantedErrors: path.join(folder, plantedFile),
  };
}

/** The library must be in the process before all others. */
async function findRuntime({ command, args }: Compiler): Promise<string> {
  const options = { environment: process.env, signal, timeoutMs: 30_000 };
  const { stdout } = await runChild(command, [...args, '-print-file-name=libasan.so'], options);
  const file = stdout.trim();
  if (!path.isAbsolute(file)) throw new UnavailableError(`${command} has no AddressSanitizer (libasan.so)`);
  return file;
}

async function toKey(compiler: Compiler, native: string): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([compiler, compilerFlags, native]));
  for (const source of [...jpegFiles, plantedSource]) hash.update(await readFile(source));
  return hash.digest('hex').slice(0, 16);
}

async function build(compiler: Compiler, native: string, root: string, folder: string): Promise<void> {
  await mkdir(root, { recursive: true });
  const staging = await mkdtemp(path.join(root, 'staging-'));
  try {
    const headers = await fetchHeaders(staging);
    const finished = path.join(staging, 'finished');
    await mkdir(path.join(finished, path.dirname(nativeFiles.jpeg)), { recursive: true });
    await mkdir(path.join(finished, path.dirname(nativeFiles.libraries)));
    await symlink(path.join(native, nativeFiles.libraries), path.join(finished, nativeFiles.libraries));
    const libraries = libraryFiles.map((file) => path.join(native, nativeFiles.libraries, file));
    const parts = { includeFolders: headers, libraries, objectFolder: staging };
    const addons: AddonParts[] = [
      { ...parts, sources: [jpegSource], output: path.join(finished, nativeFiles.jpeg) },
      { ...parts, sources: [plantedSource], output: path.join(finished, plantedFile) },
    ];
    for (const addon of addons) await compileAddon(compiler, addon, process.env, signal);
    await rename(finished, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function fetchHeaders(staging: string): Promise<string[]> {
  console.log('downloading the headers of TensorFlow, to compile the addon with sanitizers');
  const wheel = await downloadWheel(tensorflowWheel, staging, process.env, signal);
  const members = wantedMembers.filter((member) => member.endsWith('/'));
  await unpackWheel(wheel, staging, members, { environment: process.env, signal });
  const headers = path.join(staging, 'tensorflow', 'include');
  return [headers, path.join(headers, 'external', 'libjpeg_turbo'), findNodeApiHeaders()];
}
