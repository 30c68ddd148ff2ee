// Uploads bodies on some connections, each as soon as the one before is answered, where there is no wrk: answers each
// order of its parent with the counts.
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { LoadCounts } from './load-figure.ts';

export interface ClosedOrder {
  readonly url: string;
  /** Bodies that take turns. */
  readonly files: readonly string[];
  readonly contentType: string;
  readonly connections: number;
  readonly seconds: number;
}

process.on('disconnect', () => process.exit());
process.on('message', (order: ClosedOrder) => {
  void runLoad(order).then((counts) => process.send?.(counts));
});

async function runLoad({ url, files, contentType, connections, seconds }: ClosedOrder): Promise<LoadCounts> {
  const times: number[] = [];
  let answered = 0;
  const { duration, errors } = await autocannon({
    url,
    connections,
    duration: seconds,
    timeout: 60,
    requests: files.map((file) => ({
      method: 'POST' as const,
      headers: { 'content-type': contentType },
      body: readFileSync(file),
    })),
    setupClient: (client) => {
      client.on('response', (status, _bytes, milliseconds) => {
        times.push(milliseconds);
        if (status >= 200 && status < 300) answered += 1;
      });
    },
  });
  times.sort((a, b) => a - b);
  return {
    answered,
    refused: times.length - answered,
    broken: errors,
    seconds: duration,
    latencies: times.map((ms) => [ms, 1]),
  };
}
