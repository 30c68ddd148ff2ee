// Uploads one file at a steady pace, whether answers come or not, in a process of its own: answers each order of its
// parent with what came back. Its argument is the file.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { postRaw } from '../test/fixtures/uploads.ts';

export interface PaceOrder {
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
}

export interface PacedAnswer {
  /** 0 where the connection failed. */
  readonly status: number;
  readonly latencyMs: number;
  readonly retryAfterSeconds: number | undefined;
}

/** How often requests are sent, as many as are due. */
const tickMs = 10;

const file = readFileSync(process.argv[2] ?? '');
process.on('disconnect', () => process.exit());
process.on('message', (order: PaceOrder) => {
  void runPace(order).then((answers) => process.send?.(answers));
});

async function runPace({ url, perSecond, seconds }: PaceOrder): Promise<PacedAnswer[]> {
  const agent = new Agent({ keepAlive: true });
  const asked: Promise<PacedAnswer>[] = [];
  const startedAt = performance.now();
  while (performance.now() < startedAt + seconds * 1000) {
    const due = ((performance.now() - startedAt) * perSecond) / 1000;
    while (asked.length < due) asked.push(upload(url, agent));
    await delay(tickMs);
  }
  const answers = await Promise.all(asked);
  agent.destroy();
  return answers;
}

async function upload(url: string, agent: Agent): Promise<PacedAnswer> {
  const sentAt = performance.now();
  const answer = await postRaw(url, file, { agent }).catch(() => undefined);
  const retryAfter = answer?.headers['retry-after'];
  return {
    status: answer?.status ?? 0,
    latencyMs: performance.now() - sentAt,
    retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
  };
}
