import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { toEntryUrl } from '../entry-url.ts';
import type { CompileReport, CompileTask } from '../ipc/thread-messages.ts';

/** A large model takes seconds; a compiler that hangs must not keep the model from being served as it is. */
const compileTimeoutMs = 5 * 60_000;

/**
 * Compiles a model in a process of its own, which waits for one that is at it already: it costs seconds of CPU, much
 * memory, and may crash.
 * @returns why the model is not compiled, where it was not even refused
 */
export function compileInChild(task: CompileTask): Promise<string | undefined> {
  const child = fork(fileURLToPath(toEntryUrl('../compile/compile-process', import.meta.url)), {
    serialization: 'advanced',
    timeout: compileTimeoutMs,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve) => {
    child.on('message', (report: CompileReport) => {
      resolve(report.kind === 'done' ? undefined : `not compiled: ${report.reason}`);
    });
    child.on('error', (error) => {
      resolve(`not compiled: ${error.message}`);
    });
    child.on('exit', (code, signal) => {
      resolve(`not compiled: the compiler ended with ${String(signal ?? code)}`);
    });
    child.send(task);
  });
}
