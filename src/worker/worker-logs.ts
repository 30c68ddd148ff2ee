import type { Config } from '../config/schema.ts';
import { type AccessLog, createAccessLog } from '../http/access-log.ts';
import { accessDescriptor, eventsDescriptor } from '../ipc/worker-descriptors.ts';
import { createLogger, type Logger } from '../log.ts';
import { openLogStream } from '../log-stream.ts';
import type { DroppedLines } from '../metrics/log-metrics.ts';

/** Both logs of a worker. */
export interface WorkerLogs {
  readonly log: Logger;
  readonly accessLog: AccessLog;
  readonly droppedLines: DroppedLines;
  /** Resolves when every line is with the operating system. */
  readonly flush: () => Promise<void>;
}

/** Opens the log of events and the access log. */
export function openWorkerLogs(config: Config['log'], slot: number): WorkerLogs {
  const identity = { slot, pid: process.pid };
  const events = openLogStream(eventsDescriptor);
  const log = createLogger(config, { worker: slot, pid: process.pid }, events);
  const requests = openLogStream(accessDescriptor, warnOnce(log));
  const accessLog = createAccessLog(config, identity, requests);
  return {
    log,
    accessLog,
    droppedLines: { events: () => events.droppedLines, access: () => requests.droppedLines },
    async flush() {
      await accessLog.flush();
      await events.flush();
    },
  };
}

/** Logs the first loss; the metric counts all of them. */
function warnOnce(log: Logger): (error: Error) => void {
  let hasWarned = false;
  return (error) => {
    if (!hasWarned) log.warn({ err: error }, 'the access log can not be written; requests are still served');
    hasWarned = true;
  };
}
