import { Counter, type Registry } from 'prom-client';

/** The logs of a process: events, requests, and what native code of workers writes to stderr. */
type LogName = 'events' | 'access' | 'native';

/** Dropped lines so far, per log. */
export type DroppedLines = Partial<Readonly<Record<LogName, () => number>>>;

/** Counts the log lines that a process dropped. */
export function createLogMetrics(registry: Registry, sources: DroppedLines): void {
  new Counter({
    name: 'image_check_log_lines_dropped_total',
    help: 'Log lines dropped because the reader is stalled or gone, the disk is full, or native code writes too many.',
    labelNames: ['log'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [log, count] of Object.entries(sources)) this.inc({ log }, count());
    },
  });
}
