import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { isatty, WriteStream } from 'node:tty';

/** The destination of a log. A reader that has stopped reading never blocks the writer. */
export interface LogStream {
  /** Writes whole lines, at once if the reader keeps up. */
  write(lines: string): void;
  /** Resolves once every line that was not dropped is with the operating system. */
  flush(): Promise<void>;
  /** Lines that could not be written: the buffer was full, the reader gone, or the disk full. */
  readonly droppedLines: number;
}

/** Bytes that may wait for a reader; further lines are dropped. */
const maxWaitingBytes = 4 * 2 ** 20;

/**
 * Opens the stream of a descriptor. Pipes and sockets are written through libuv, which tries at once and queues what does
 * not fit: nothing is lost when the process is killed, as long as the reader keeps up.
 * @param onLoss called at each loss
 */
export function openLogStream(descriptor: number, onLoss: (error: Error) => void = () => undefined): LogStream {
  let droppedLines = 0;
  const drop = (lines: string, error: Error): void => {
    droppedLines += lines.split('\n').length - 1;
    onLoss(error);
  };
  const stats = fstatSync(descriptor);
  const isQueued = stats.isFIFO() || stats.isSocket() || isatty(descriptor);
  const target = isQueued
    ? createQueue(toWritable(stats.isFIFO() ? reopen(descriptor) : descriptor), drop)
    : createFile(descriptor, drop);
  return {
    ...target,
    get droppedLines() {
      return droppedLines;
    },
  };
}

type Target = Omit<LogStream, 'droppedLines'>;
type Drop = (lines: string, error: Error) => void;

/**
 * Opens a pipe again, non-blocking: the mode belongs to the open file description, which other processes share, and
 * libuv makes what it hands to a child as stdout or stderr blocking again.
 */
function reopen(descriptor: number): number {
  try {
    return openSync(`/proc/self/fd/${String(descriptor)}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return descriptor;
  }
}

/** Node's own streams for 1 and 2: libuv refuses a second watcher of a descriptor. */
function toWritable(descriptor: number): Writable {
  if (descriptor === 1) return process.stdout;
  if (descriptor === 2) return process.stderr;
  return isatty(descriptor)
    ? new WriteStream(descriptor)
    : new Socket({ fd: descriptor, readable: false, writable: true });
}

function createQueue(writable: Writable, drop: Drop): Target {
  let failure: Error | undefined;
  // A reader that has gone away must not end the process.
  writable.on('error', (error) => {
    if (failure === undefined) drop('', error);
    failure = error;
  });
  return {
    write(lines) {
      if (failure !== undefined) drop(lines, failure);
      else if (writable.writableLength + lines.length > maxWaitingBytes) drop(lines, new Error('the log is not read'));
      else writable.write(lines);
    },
    flush() {
      if (failure !== undefined || writable.writableLength === 0) return Promise.resolve();
      return new Promise((resolve) => {
        writable.write('', () => {
          resolve();
        });
      });
    },
  };
}

function createFile(descriptor: number, drop: Drop): Target {
  return {
    write(lines) {
      try {
        let bytes = Buffer.from(lines);
        while (bytes.length > 0) bytes = bytes.subarray(writeSync(descriptor, bytes));
      } catch (error) {
        drop(lines, error instanceof Error ? error : new Error(String(error)));
      }
    },
    flush: () => Promise.resolve(),
  };
}
