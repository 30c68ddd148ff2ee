import type { Readable } from 'node:stream';
import type { Logger } from '../../log.ts';

/** Lines that a worker may log at once, with one more each `refillMs`: clients can provoke them. */
const burstLines = 20;
const refillMs = 200;
const maxLineChars = 1000;

interface Source {
  readonly slot: number;
  readonly pid: number | undefined;
  readonly output: readonly Readable[];
}

/**
 * Logs what native libraries, V8 and Node write to a worker's stdout and stderr: an event for each line, so that the log
 * stays JSON.
 */
export class NativeOutput {
  readonly #log: Logger;
  /** Lines above the rate limit, which are not logged. */
  droppedLines = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Reads what a worker writes until it ends. */
  read({ slot, pid, output }: Source): void {
    const take = createLineBudget();
    for (const stream of output) {
      readLines(stream, (line) => {
        if (take()) this.#log.warn({ slot, workerPid: pid, line }, 'worker wrote to stderr');
        else this.droppedLines += 1;
      });
    }
  }
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxLineChars);
    for (const line of lines) if (line !== '') onLine(line.slice(0, maxLineChars));
  });
  stream.once('end', () => {
    if (rest !== '') onLine(rest);
  });
  // The pipe of a dead worker.
  stream.on('error', () => undefined);
}

/** @returns whether a line may be logged now. */
function createLineBudget(): () => boolean {
  let left = burstLines;
  let filledAt = performance.now();
  return () => {
    const refilled = Math.floor((performance.now() - filledAt) / refillMs);
    filledAt += refilled * refillMs;
    left = Math.min(burstLines, left + refilled);
    if (left === 0) return false;
    left -= 1;
    return true;
  };
}
