import { type ChildProcess, spawn } from 'node:child_process';
import { toLine, UnavailableError } from './unavailable-error.ts';

/** Options of a child process. */
export interface ChildOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Standard input of the child; default: empty. */
  readonly input?: string;
}

/** Result of a child process; `exitCode` is null after a signal. */
export interface ChildResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Characters kept of each stream: error messages are at the end. */
const maxOutput = 65_536;

/**
 * Runs a program to its end. An abort kills it with its descendants.
 * @throws UnavailableError when it can't be started or takes longer than `timeoutMs`; the signal's reason after an abort.
 */
export async function runChild(command: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  options.signal.throwIfAborted();
  // In its own process group: compilers and pip have children, which must be killed, too.
  const child = spawn(command, args, { env: options.environment, detached: true, stdio: 'pipe' });
  const output = { stdout: '', stderr: '' };
  const clock = { isLate: false };
  const kill = (): void => {
    killGroup(child);
  };
  const timer = setTimeout(() => {
    clock.isLate = true;
    kill();
  }, options.timeoutMs);
  options.signal.addEventListener('abort', kill);
  process.on('exit', kill);
  try {
    const exitCode = await followChild(child, output, options.input);
    options.signal.throwIfAborted();
    if (clock.isLate) {
      throw new UnavailableError(`${command} did not end within ${String(options.timeoutMs / 1000)} s`);
    }
    return { exitCode, ...output };
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', kill);
    process.off('exit', kill);
  }
}

/** The last line that a failed program wrote to stderr, else how it ended. */
export function toLastLine({ stderr, exitCode }: ChildResult): string {
  const line = stderr.split('\n').findLast((text) => text.trim() !== '');
  return toLine(line ?? (exitCode === null ? 'it was killed' : `it ended with exit code ${String(exitCode)}`));
}

function followChild(
  child: ChildProcess,
  output: { stdout: string; stderr: string },
  input: string | undefined,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        output[name] = (output[name] + text).slice(-maxOutput);
      });
    }
    // A child may end without reading its input.
    child.stdin?.on('error', () => undefined).end(input);
    child.on('error', (error: NodeJS.ErrnoException) => {
      const name = child.spawnfile;
      const why = error.code === 'ENOENT' ? `${name} was not found` : `${name} can't be started: ${error.message}`;
      reject(new UnavailableError(why, { cause: error }));
    });
    child.on('close', resolve);
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
