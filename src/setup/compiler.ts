import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ChildOptions, type ChildResult, runChild, toLastLine } from './child.ts';
import { toLine, UnavailableError } from './unavailable-error.ts';

/** A C++ compiler: its command and leading arguments. */
export interface Compiler {
  readonly command: string;
  readonly args: readonly string[];
}

/** The files of one native addon; all absolute paths. */
export interface AddonParts {
  readonly sources: readonly string[];
  readonly includeFolders: readonly string[];
  readonly libraries: readonly string[];
  /** Folder of the object files. */
  readonly objectFolder: string;
  readonly output: string;
}

/** Compiler and linker flags of addons; part of the cache key. */
export const compilerFlags = {
  compile: ['-std=c++17', '-O2', '-fPIC', '-DNAPI_VERSION=8'],
  link: ['-shared', '-Wl,-rpath,$ORIGIN/../../deps/lib'],
};

const findTimeoutMs = 30_000;
/** 5 to 11 s on a quiet machine. */
const compileTimeoutMs = 5 * 60_000;

/**
 * Finds a compiler that supports C++17 with its standard library: $CXX, else g++, c++ or clang++.
 * @throws UnavailableError when there is none.
 */
export async function findCompiler(environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Compiler> {
  const configured = environment['CXX']?.trim();
  const candidates = configured ? [configured] : ['g++', 'c++', 'clang++'];
  for (const candidate of candidates) {
    const [command = '', ...args] = candidate.split(/\s+/);
    if (await canCompile({ command, args }, { environment, signal, timeoutMs: findTimeoutMs })) {
      return { command, args };
    }
  }
  const tried = configured ? `$CXX, which is ${configured}` : `tried ${candidates.join(', ')}`;
  throw new UnavailableError(`no C++17 compiler was found (${tried})`);
}

/**
 * Compiles and links an addon.
 * @throws UnavailableError with the compiler's first error.
 */
export async function compileAddon(
  compiler: Compiler,
  parts: AddonParts,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  const options = { environment, signal, timeoutMs: compileTimeoutMs };
  const includes = parts.includeFolders.map((folder) => `-I${folder}`);
  const runs = parts.sources.map((source) => {
    const args = [...compilerFlags.compile, ...includes, '-c', source, '-o', toObjectPath(source, parts)];
    return runCompiler(compiler, args, options);
  });
  // Waits for all, also after a failure: the folder that they write to is removed afterwards.
  await Promise.allSettled(runs);
  await Promise.all(runs);
  const objects = parts.sources.map((source) => toObjectPath(source, parts));
  await runCompiler(compiler, [...compilerFlags.link, ...objects, ...parts.libraries, '-o', parts.output], options);
}

/** Measures the compiled share of the sources, 0 to 1. */
export async function measureCompiling(addons: readonly AddonParts[]): Promise<number> {
  const objects = await Promise.all(addons.map(({ objectFolder }) => readdir(objectFolder)));
  const sources = addons.flatMap((addon) => addon.sources);
  const made = objects.flat().filter((file) => file.endsWith('.o'));
  return made.length / (sources.length + 1);
}

async function canCompile(compiler: Compiler, options: Omit<ChildOptions, 'input'>): Promise<boolean> {
  const args = [...compiler.args, '-std=c++17', '-fsyntax-only', '-x', 'c++', '-'];
  try {
    const result = await runChild(compiler.command, args, { ...options, input: '#include <string_view>\n' });
    return result.exitCode === 0;
  } catch (thrown) {
    if (thrown instanceof UnavailableError) return false;
    throw thrown;
  }
}

async function runCompiler(compiler: Compiler, args: readonly string[], options: ChildOptions): Promise<void> {
  const result = await runChild(compiler.command, [...compiler.args, ...args], options);
  if (result.exitCode !== 0) {
    throw new UnavailableError(`${compiler.command} can't compile tfjs-node's binding: ${summarise(result)}`);
  }
}

function summarise(result: ChildResult): string {
  const line = result.stderr.split('\n').find((text) => /\berror\b|undefined reference/i.test(text));
  return line === undefined ? toLastLine(result) : toLine(line);
}

function toObjectPath(source: string, parts: AddonParts): string {
  return join(parts.objectFolder, `${basename(source, '.cc')}.o`);
}
