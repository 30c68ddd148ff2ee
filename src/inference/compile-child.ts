import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { toEntryUrl } from '../entry-url.ts';
import type { CompileReport, CompileTask } from '../ipc/thread-messages.ts';

/** A large model takes seconds; if the compiler hangs, the model is served in its original form. */
const compileTimeoutMs = 5 * 60_000;

/**
 * Compiles a model in a child process: compiling takes seconds of CPU and much memory, and may crash. The child waits for
 * another process that already compiles the same model.
 * @returns why compiling failed; undefined if the model was compiled or refused
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
