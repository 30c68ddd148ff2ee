import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toEntryUrl } from '../entry-url.ts';
import { readLoadMarker, toLibraryEnvironment } from '../native-library.ts';
import { isWithoutAvx, type Machine } from './machine.ts';
import type { ProbeReport } from './probe.ts';
import { toLine, UnavailableError } from './unavailable-error.ts';

/** How to probe an engine in a separate process. */
export interface ProbeOptions {
  readonly engine: 'tensorflow' | 'wasm';
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Module that the process runs. */
  readonly file: string;
  readonly timeoutMs: number;
}

/** The probe beside this module; it usually takes a second, the timeout allows for a cold disk and a busy machine. */
export const defaultProbe = {
  file: fileURLToPath(toEntryUrl('./probe', import.meta.url)),
  timeoutMs: 30_000,
};

/**
 * Loads the engine and runs one operation in a separate process, where a crash does no harm.
 * @returns the version of the engine's library.
 * @throws UnavailableError with the reason when it fails, crashes or hangs; the signal's reason after an abort.
 */
export async function probeEngine(options: ProbeOptions, machine: Machine): Promise<string> {
  const { code, signalName, isLate, report, stderr } = await runProbe(options);
  options.signal.throwIfAborted();
  if (report !== undefined && 'version' in report) return report.version;
  const name = options.engine === 'tensorflow' ? 'TensorFlow' : 'the wasm engine';
  if (isLate) {
    throw new UnavailableError(`${name} did not run its first operation within ${String(options.timeoutMs / 1000)} s`);
  }
  if (report !== undefined) {
    throw new UnavailableError(`${name} does not work: ${report.failure}`);
  }
  const hint = isWithoutAvx(machine) ? ' (this CPU has no AVX)' : '';
  const last = stderr.split('\n').findLast((line) => line.trim() !== '');
  const end = signalName ?? `exit code ${String(code)}`;
  throw new UnavailableError(`${name} crashed with ${end}${hint}${last === undefined ? '' : `: ${toLine(last)}`}`);
}

const stampPrefix = 'probed-';

/**
 * Clears remembered probes if a process died while loading the library.
 * @returns whether one did
 */
export async function clearCrashes(cacheFolder: string): Promise<boolean> {
  const names = await readdir(cacheFolder).catch(() => []);
  const crashed = names.filter((name) => isDead(readLoadMarker(name)));
  if (crashed.length === 0) return false;
  const stale = [...crashed, ...names.filter((name) => name.startsWith(stampPrefix))];
  for (const name of stale) await rm(join(cacheFolder, name), { force: true }).catch(() => undefined);
  return true;
}

function isDead(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * Probes TensorFlow once per machine, Node and library, and remembers success. Failures are never remembered, and a
 * read-only folder is probed at every start, because a success could not be cleared there.
 */
export async function probeOnce(options: ProbeOptions, machine: Machine, cacheFolder: string): Promise<string> {
  const facts = [process.version, machine.glibc, machine.cpuModel, machine.cpuFlags];
  const hash = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  const stamp = join(cacheFolder, `${stampPrefix}${hash}`);
  const isOurs = await access(cacheFolder, constants.W_OK).then(
    () => true,
    () => false,
  );
  const known = isOurs ? await readFile(stamp, 'utf8').catch(() => '') : '';
  if (known !== '') return known;
  const version = await probeEngine(
    { ...options, environment: { ...options.environment, ...toLibraryEnvironment(cacheFolder) } },
    machine,
  );
  if (isOurs) await writeFile(stamp, version);
  return version;
}

interface ProbeEnd {
  readonly code: number | null;
  readonly signalName: NodeJS.Signals | null;
  readonly isLate: boolean;
  readonly report: ProbeReport | undefined;
  readonly stderr: string;
}

function runProbe(options: ProbeOptions): Promise<ProbeEnd> {
  options.signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    let report: ProbeReport | undefined;
    let stderr = '';
    let isLate = false;
    const child = fork(options.file, [options.engine], {
      env: { TF_CPP_MIN_LOG_LEVEL: '2', ...options.environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const kill = (): void => {
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => {
      isLate = true;
      kill();
    }, options.timeoutMs);
    options.signal.addEventListener('abort', kill);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4096)));
    child.on('message', (message) => {
      report ??= toReport(message);
      // TensorFlow's threads need no orderly end.
      if (report !== undefined) kill();
    });
    child.on('error', reject);
    child.on('close', (code, signalName) => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', kill);
      resolve({ code, signalName, isLate, report, stderr });
    });
  });
}

/** Ignores other messages: process managers inject some into every child. */
function toReport(message: unknown): ProbeReport | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  if ('version' in message && typeof message.version === 'string') {
    return { version: message.version };
  }
  if ('failure' in message && typeof message.failure === 'string') {
    return { failure: message.failure };
  }
  return undefined;
}
