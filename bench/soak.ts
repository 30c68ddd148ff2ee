// Does a worker's own memory stay flat? Sends many requests of all kinds to the service; prints a table, writes nothing.
// --requests N (100,000 take 40 minutes) · --photos DIR (made in code unless given)
import { Agent } from 'node:http';
import os from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/train/samples/random.ts';
import { type Service, startService } from '../test/fixtures/service.ts';
import { loadPhotos, type Outcome, sendAny } from './soak-requests.ts';
import { fitLine } from './statistics.ts';

const clients = 8;
const requestsASample = 1000;
/** Caches and pools fill within these; the slope is of what follows. */
const warmUpRequests = 10_000;
/** Longer than a heartbeat: the snapshot is of a worker that has nothing to do. */
const restMs = 1500;

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '100000' }, photos: { type: 'string' } },
});
const wanted = Number(values.requests);
const cleanUps: (() => void)[] = [];
try {
  const photos = await loadPhotos(values.photos);
  const service = await startService(
    { after: (cleanUp) => cleanUps.push(cleanUp) },
    { args: ['--set', 'log.access=off'] },
  );
  await soak(service, photos);
} finally {
  for (const cleanUp of cleanUps) cleanUp();
}

interface Sample {
  readonly requests: number;
  readonly perSecond: number;
  /** By slot. */
  readonly privateBytes: readonly number[];
  readonly primaryRssBytes: number;
}

async function soak(service: Service, photos: readonly Buffer[]): Promise<void> {
  const agents = Array.from({ length: clients }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const random = createRandom(wanted);
  const samples: Sample[] = [];
  const outcomes = new Map<string, number>();
  const unexpected = new Map<string, number>();
  const count = (tally: Map<string, number>, key: string): unknown => tally.set(key, (tally.get(key) ?? 0) + 1);
  const note = (outcome: Outcome): void => {
    count(outcomes, outcome.kind);
    if (outcome.unexpected !== undefined) count(unexpected, `${outcome.kind}: ${outcome.unexpected}`);
  };
  for (let sent = 0; sent < wanted;) {
    const until = Math.min(wanted, sent + requestsASample);
    const startedAt = performance.now();
    const sendOn = async (agent: Agent): Promise<void> => {
      while (sent < until) {
        sent += 1;
        note(await sendAny(service.url, photos, agent, random));
      }
    };
    const before = sent;
    await Promise.all(agents.map(sendOn));
    samples.push(await takeSample(service, sent, (1000 * (sent - before)) / (performance.now() - startedAt)));
  }
  for (const agent of agents) agent.destroy();
  await report(service, samples, outcomes, unexpected);
}

async function takeSample(service: Service, requests: number, perSecond: number): Promise<Sample> {
  await delay(restMs);
  const { primary, workers } = await service.health();
  const privateBytes = workers.map(({ memory }) => memory.privateBytes);
  console.log(`${String(requests)} requests, ${perSecond.toFixed(0)} a second, ${privateBytes.map(toMb).join(' ')} MB`);
  return { requests, perSecond, privateBytes, primaryRssBytes: primary.rssBytes };
}

async function report(
  service: Service,
  samples: readonly Sample[],
  outcomes: ReadonlyMap<string, number>,
  unexpected: ReadonlyMap<string, number>,
): Promise<void> {
  const { workers } = await service.health();
  const restarts = workers.reduce((sum, worker) => sum + worker.restarts, 0);
  const failures = [...unexpected.values()].reduce((sum, times) => sum + times, 0);
  const skipped = Math.min(warmUpRequests, wanted / 2);
  const settled = samples.filter(({ requests }) => requests > skipped);
  console.table(
    samples.map(({ requests, perSecond, privateBytes, primaryRssBytes }) => ({
      requests,
      'a second': perSecond.toFixed(0),
      ...Object.fromEntries(privateBytes.map((bytes, slot) => [`worker ${String(slot)}, MB private`, toMb(bytes)])),
      'primary, MB resident': toMb(primaryRssBytes),
    })),
  );
  console.log(
    `${os.cpus()[0]?.model ?? 'unknown CPU'} × ${String(os.availableParallelism())}, Node ${process.version}`,
  );
  for (const { slot } of workers) {
    const points = settled.map(({ requests, privateBytes }) => ({ x: requests / 1000, y: privateBytes[slot] ?? NaN }));
    const { slope, slopeError } = fitLine(points);
    // Two points always lie on a line.
    const error = Number.isFinite(slopeError) ? ` ± ${slopeError.toFixed(0)}` : '';
    console.log(
      `worker ${String(slot)}: ${slope.toFixed(0)}${error} bytes per 1,000 requests after ${String(skipped)}`,
    );
  }
  console.log(`sent: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  console.log(`restarts: ${String(restarts)}; unexpected: ${String(failures)} ${JSON.stringify([...unexpected])}`);
  if (restarts + failures > 0) process.exitCode = 1;
}

function toMb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
