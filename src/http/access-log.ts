import type { Config } from '../config/schema.ts';
import type { LogStream } from '../log-stream.ts';
import { type AccessFormat, compileAccessFormat } from './access-format.ts';
import type { AccessRecord } from './access-record.ts';
import type { WorkerFacts } from './access-variables.ts';

/** The access log: one line per request. */
export interface AccessLog {
  write(record: AccessRecord): void;
  /** Resolves when every line is written; await it before a process is killed. */
  flush(): Promise<void>;
}

/** Time to batch lines: a system call costs more than a line. */
const gatherMs = 100;

/** Creates the access log. */
export function createAccessLog(config: Config['log'], worker: WorkerFacts, stream: LogStream): AccessLog {
  if (config.access === 'off') return { write: () => {}, flush: () => Promise.resolve() };
  const format = config.access === 'json' ? createJsonFormat(worker) : compileAccessFormat(config.accessFormat, worker);
  let gathered = '';
  let timer: NodeJS.Timeout | undefined;
  const writeGathered = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (gathered !== '') stream.write(gathered);
    gathered = '';
  };
  return {
    write(record) {
      gathered += `${format(record)}\n`;
      timer ??= setTimeout(writeGathered, gatherMs);
    },
    flush() {
      writeGathered();
      return stream.flush();
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
