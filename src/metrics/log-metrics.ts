import { Counter, type Registry } from 'prom-client';

/** The logs of a process: events, requests, and what native code of workers writes to stderr. */
type LogName = 'events' | 'access' | 'native';

/** Each tells how many lines were dropped so far. */
export type DroppedLines = Partial<Readonly<Record<LogName, () => number>>>;

/** Counts the lines that a process could not log. */
export function createLogMetrics(registry: Registry, sources: DroppedLines): void {
  new Counter({
    name: 'image_check_log_lines_dropped_total',
    help: 'Lines that were not logged: the reader stands still or is gone, the disk is full, or native code writes too many.',
    labelNames: ['log'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [log, count] of Object.entries(sources)) this.inc({ log }, count());
    },
  });
}
