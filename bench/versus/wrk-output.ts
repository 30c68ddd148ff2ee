import { z } from 'zod';
import type { LoadFigure } from '../load-figure.ts';
import { toLoadFigure } from '../load-figure.ts';

const resultSchema = z.object({
  requests: z.int(),
  microseconds: z.int(),
  refused: z.int(),
  broken: z.int(),
  /** Microseconds, ascending, and how many requests took them. */
  latencies: z.array(z.tuple([z.int(), z.int()])),
});

/**
 * Reads what `uploads.lua` made wrk print.
 * @throws where wrk printed no result, with the last lines that it did print
 */
export function toWrkFigure(output: string, connections: number): LoadFigure {
  const [, json] = /^RESULT (\{.*\})$/m.exec(output) ?? [];
  const lines = output.trim().split('\n').slice(-3).join('; ');
  if (json === undefined) throw new Error(`wrk gave no result: ${lines || 'it printed nothing'}`);
  const { requests, microseconds, refused, broken, latencies } = resultSchema.parse(JSON.parse(json));
  return toLoadFigure({
    answered: requests - refused,
    refused,
    broken,
    seconds: microseconds / 1e6,
    latencies: undoCorrection(latencies, requests, Math.floor(microseconds / Math.floor(requests / connections))).map(
      ([time, count]) => [time / 1000, count],
    ),
  });
}

type Histogram = readonly (readonly [microseconds: number, count: number])[];

/**
 * Takes away the requests that wrk invents: for each that took longer than twice the mean it adds those that could
 * have been sent meanwhile. A closed loop would not have sent them.
 * @param meanMicroseconds as wrk computes it: time by requests of a connection, both rounded down
 */
export function undoCorrection(latencies: Histogram, requests: number, meanMicroseconds: number): Histogram {
  const counts = new Map(latencies);
  if (!Number.isFinite(meanMicroseconds)) return latencies;
  // Requests were added below their cause only: from the longest down, each count is what it was.
  for (const [time] of latencies.toReversed()) {
    const count = counts.get(time) ?? 0;
    if (time < 2 * meanMicroseconds || count === 0) continue;
    for (let at = time - meanMicroseconds; at > meanMicroseconds; at -= meanMicroseconds) {
      counts.set(at, (counts.get(at) ?? 0) - count);
    }
  }
  const left = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const sum = left.reduce((total, [, count]) => total + count, 0);
  return sum === requests ? left : latencies;
}
