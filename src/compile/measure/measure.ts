import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { toEntryUrl } from '../../entry-url.ts';
import type { ModelVersion } from '../../model/model-version.ts';
import type { Measured } from './batches.ts';

/** The graph to measure: `dir` has its `saved_model.pb`. */
export interface MeasureOrder {
  readonly dir: string;
  readonly model: ModelVersion;
}

/** Far more than the largest networks need for all batch sizes on a busy machine. */
const timeoutMs = 120_000;

/**
 * Measures a graph in a child process.
 * @param environment that of a worker: the gain of a batch depends on TensorFlow's number of threads
 * @throws Error if that fails or takes too long
 */
export async function measureGraph(
  order: MeasureOrder,
  environment: NodeJS.ProcessEnv,
): Promise<Extract<Measured, { kind: 'measured' }>> {
  const child = fork(fileURLToPath(toEntryUrl('./measure-process', import.meta.url)), {
    env: environment,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  try {
    const measured = await new Promise<Measured>((resolve) => {
      child.once('message', (message: Measured) => {
        resolve(message);
      });
      child.once('error', ({ message }) => {
        resolve({ kind: 'failed', reason: message });
      });
      child.once('exit', (code, signal) => {
        resolve({ kind: 'failed', reason: `the process ended with ${String(signal ?? code)}` });
      });
      child.send(order);
    });
    if (measured.kind === 'measured') return measured;
    throw new Error(`the compiled graph can't be measured: ${measured.reason}`);
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}
