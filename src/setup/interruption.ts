import { constants } from 'node:os';
import { ExitError } from '../errors.ts';

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `work` so that SIGINT, SIGTERM or SIGHUP abort it with its children.
 * @throws ExitError with 128 + the signal's number, like a shell, once `work` has stopped.
 */
export async function runInterruptibly<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (name: NodeJS.Signals): void => {
    stopListening();
    controller.abort(new ExitError(128 + constants.signals[name], `stopped by ${name} while setting up TensorFlow`));
  };
  const stopListening = (): void => {
    for (const name of endingSignals) {
      process.off(name, abort);
    }
  };
  for (const name of endingSignals) {
    process.on(name, abort);
  }
  try {
    const result = await work(controller.signal);
    controller.signal.throwIfAborted();
    return result;
  } finally {
    stopListening();
  }
}
