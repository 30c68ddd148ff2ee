// Uploads files at a pace of its own, whether answers come or not, in a process of its own: answers each order of its
// parent with what came back.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../src/train/samples/random.ts';
import { postUpload } from './post-upload.ts';
import type { Upload } from './upload.ts';

export interface PaceOrder {
  readonly url: string;
  /** Bodies that take turns. */
  readonly files: readonly string[];
  readonly contentType: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** Even, or as those come who know nothing of one another: a Poisson process, the same for the same pace. */
  readonly arrivals: 'even' | 'poisson';
}

export interface PacedAnswer {
  /** When it should have been sent, from the start of the load. */
  readonly dueMs: number;
  /** 0 where the connection failed. */
  readonly status: number;
  /** From when it should have been sent: whatever delays the sending counts. */
  readonly latencyMs: number;
  readonly retryAfterSeconds: number | undefined;
}

const timeoutMs = 60_000;

process.on('disconnect', () => process.exit());
process.on('message', (order: PaceOrder) => {
  void runPace(order).then((answers) => process.send?.(answers));
});

async function runPace({ url, files, contentType, ...pace }: PaceOrder): Promise<PacedAnswer[]> {
  const agent = new Agent({ keepAlive: true });
  const uploads = files.map((file): Upload => ({ contentType, body: readFileSync(file) }));
  const asked: Promise<PacedAnswer>[] = [];
  const startedAt = performance.now();
  for (const dueMs of planArrivals(pace)) {
    const dueAt = startedAt + dueMs;
    if (performance.now() < dueAt) await delay(dueAt - performance.now());
    const upload = uploads[asked.length % uploads.length];
    if (upload) asked.push(send(url, upload, agent, dueAt).then((answer) => ({ dueMs, ...answer })));
  }
  const answers = await Promise.all(asked);
  agent.destroy();
  return answers;
}

/** When requests are due, in ms from the start. */
function planArrivals({
  perSecond,
  seconds,
  arrivals,
}: Pick<PaceOrder, 'perSecond' | 'seconds' | 'arrivals'>): number[] {
  const random = createRandom(Math.round(perSecond * seconds));
  const due: number[] = [];
  const endMs = seconds * 1000;
  const meanMs = 1000 / perSecond;
  for (let at = 0; at < endMs; at += arrivals === 'even' ? meanMs : -meanMs * Math.log(1 - random())) due.push(at);
  return due;
}

async function send(url: string, upload: Upload, agent: Agent, dueAt: number): Promise<Omit<PacedAnswer, 'dueMs'>> {
  const answer = await postUpload(url, upload, { agent, timeoutMs }).catch(() => undefined);
  return {
    status: answer?.status ?? 0,
    latencyMs: performance.now() - dueAt,
    retryAfterSeconds: answer?.retryAfterSeconds,
  };
}
