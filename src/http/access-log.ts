import { pino } from 'pino';
import type { Config } from '../config/schema.ts';
import type { Logger } from '../log.ts';
import { compileAccessFormat, type AccessFormat } from './access-format.ts';
import type { AccessRecord } from './access-record.ts';
import type { WorkerFacts } from './access-variables.ts';

/** One line for every request. */
export interface AccessLog {
  write(record: AccessRecord): void;
  /** Resolves when every line is with the operating system: to be awaited before a process is killed. */
  flush(): Promise<void>;
}

/** Lines that wait for a reader that stands still, in bytes; more are dropped, and counted in the log. */
const maxWaitingBytes = 16 * 2 ** 20;
/** How long a line waits for others to be written with: each write wakes a thread, which costs more than the line. */
const gatherMs = 100;
const stdout = 1;

/**
 * Creates the access log on stdout. pino's asynchronous destination writes it: process.stdout blocks the thread while
 * a pipe is full, and loses lines at exit where it does not.
 */
export function createAccessLog(
  config: Config['log'],
  worker: WorkerFacts,
  log: Logger,
  fileDescriptor = stdout,
): AccessLog {
  if (config.access === 'off') return { write: () => {}, flush: () => Promise.resolve() };
  const format = config.access === 'json' ? createJsonFormat(worker) : compileAccessFormat(config.accessFormat, worker);
  // With minLength 0 flush() says that it is done without waiting for anything.
  const options = { dest: fileDescriptor, sync: false, minLength: 1, maxLength: maxWaitingBytes };
  const destination = pino.destination(options);
  let hasFailed = false;
  const warnOnce = (error: unknown) => {
    if (!hasFailed) log.warn({ err: error }, 'the access log can not be written; requests are served on');
    hasFailed = true;
  };
  // A closed pipe or a full disk must not end the worker.
  destination.on('error', warnOnce);
  destination.on('drop', () => {
    warnOnce(new Error('stdout is not read: lines are dropped'));
  });
  let gathered = '';
  let timer: NodeJS.Timeout | undefined;
  const writeGathered = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (gathered !== '') destination.write(gathered);
    gathered = '';
  };
  return {
    write(record) {
      gathered += `${format(record)}\n`;
      timer ??= setTimeout(writeGathered, gatherMs);
    },
    flush() {
      writeGathered();
      return new Promise((resolve) => {
        destination.flush(() => {
          resolve();
        });
      });
    },
  };
}

function createJsonFormat(worker: WorkerFacts): AccessFormat {
  return (record) =>
    JSON.stringify({
      time: new Date(record.startedAtEpochMs).toISOString(),
      addr: record.clientAddress,
      method: record.method,
      uri: record.uri,
      proto: record.protocol,
      status: record.status,
      size: record.bodyBytes + record.headerBytes,
      cl: Number(record.requestHeaders['content-length'] ?? 0),
      msecs: Math.round(record.durationMs),
      referer: record.requestHeaders.referer,
      uagent: record.requestHeaders['user-agent'],
      ...Object.fromEntries(record.variables),
      slot: worker.slot,
      pid: worker.pid,
    });
}
