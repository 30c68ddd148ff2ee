import { createRequire } from 'node:module';
import { type Logger, pino } from 'pino';
import type { prettyFactory } from 'pino-pretty';
import { type LogStream, openLogStream } from './log-stream.ts';

export type { Logger };

const stderr = 2;

/** Creates the logger of events: one line each, on stderr unless another stream is given. */
export function createLogger(
  options: { level: string; format: 'json' | 'pretty' },
  base: Record<string, unknown>,
  stream: LogStream = openLogStream(stderr),
): Logger {
  const settings = {
    level: options.level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const { write } = options.format === 'pretty' ? createPrettyStream(stream) : stream;
  return pino(settings, { write });
}

function createPrettyStream(stream: LogStream): Pick<LogStream, 'write'> {
  const require = createRequire(import.meta.url);
  // Loaded on demand: it costs 12 ms of CPU in each process.
  const pretty = require('pino-pretty') as { prettyFactory: typeof prettyFactory };
  const format = pretty.prettyFactory({ ignore: 'pid,hostname', singleLine: true });
  return {
    write(line) {
      stream.write(format(line));
    },
  };
}
