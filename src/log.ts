import { createRequire } from 'node:module';
import { type Logger, pino } from 'pino';
import type pretty from 'pino-pretty';

export type { Logger };

/** Creates the logger of events: one line each on stderr, written synchronously so that none is lost at a kill. */
export function createLogger(
  options: { level: string; format: 'json' | 'pretty' },
  base: Record<string, unknown>,
): Logger {
  const settings = {
    level: options.level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (options.format === 'pretty') {
    const require = createRequire(import.meta.url);
    // 12 ms of CPU that most services need not pay in each process.
    const makePretty = require('pino-pretty') as typeof pretty;
    return pino(settings, makePretty({ destination: 2, sync: true, ignore: 'pid,hostname', singleLine: true }));
  }
  return pino(settings, pino.destination({ dest: 2, sync: true }));
}
