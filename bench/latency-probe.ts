import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** How a service answered a page that was asked for at a steady pace. */
export interface Latencies {
  /** Requests without an answer of 200. */
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface ProbeOptions {
  readonly url: string;
  readonly seconds: number;
  readonly perSecond: number;
  /** Connections that are kept and take turns; 0 opens one for each request. */
  readonly connections: number;
}

/** Asks at a steady pace, whether the answers come or not: a slow one does not spare the service the next question. */
export async function probeLatency({ url, seconds, perSecond, connections }: ProbeOptions): Promise<Latencies> {
  const agents = Array.from({ length: connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const asked: Promise<number | undefined>[] = [];
  const startedAt = performance.now();
  for (let count = 0; count < seconds * perSecond; count += 1) {
    await delay(startedAt + (count * 1000) / perSecond - performance.now());
    asked.push(measureAnswer(url, agents[count % agents.length] ?? new Agent({ keepAlive: false })));
  }
  const measured = (await Promise.all(asked)).filter((ms) => ms !== undefined).sort((a, b) => a - b);
  for (const agent of agents) agent.destroy();
  const pick = (share: number): number => measured[Math.ceil(measured.length * share) - 1] ?? NaN;
  return { failed: asked.length - measured.length, p50Ms: pick(0.5), p99Ms: pick(0.99), maxMs: pick(1) };
}

/** Time in ms from asking, connecting included, to the last byte of a 200; undefined for any other ending. */
function measureAnswer(url: string, agent: Agent): Promise<number | undefined> {
  const askedAt = performance.now();
  return new Promise((resolve) => {
    const asked = request(url, { agent }, (response) => {
      response.resume();
      response.on('end', () => {
        resolve(response.statusCode === 200 ? performance.now() - askedAt : undefined);
      });
    });
    asked.on('error', () => {
      resolve(undefined);
    });
    asked.end();
  });
}
