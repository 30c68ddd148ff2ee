// Clients that are unlike each other, in a process of its own: answers each order of its parent with what it measured.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom, type Random, shuffle } from '../src/train/samples/random.ts';
import { postRaw } from '../test/fixtures/uploads.ts';

/**
 * Mixed: busy, slow, idle and brief clients. Crowded: all are busy and on one worker, as after the respawn of another;
 * twice as many connect, and those leave whom any worker but the first answers.
 */
export type Crowd = 'mixed' | 'crowded';

/** One slice of load. */
export interface LoadOrder {
  readonly url: string;
  readonly crowd: Crowd;
  readonly clients: number;
  /** Decides which client is of which kind, and when it sends what. */
  readonly seed: number;
  /** Time before the measuring, and of it. */
  readonly settleSeconds: number;
  readonly seconds: number;
}

/** What clients met while it was measured; before it the word `measuring` is sent. */
export interface LoadResult {
  readonly answers: readonly { readonly slot: number; readonly latencyMs: number }[];
  /** Requests that ended in anything but a 200. */
  readonly failed: number;
}

/** Of eight clients; the idle one sends one request and keeps its connection, the brief one opens one for each. */
const kinds = ['busy', 'busy', 'busy', 'busy', 'slow', 'slow', 'idle', 'brief'] as const;
const maxPauseMs = 400;
const staggerMs = 10;

const [small, medium, large] = process.argv.slice(2).map((file) => readFileSync(file));
process.on('disconnect', () => process.exit());
process.on('message', (order: LoadOrder) => {
  void runSlice(order).then((result) => process.send?.(result));
});

async function runSlice({ url, crowd, clients, seed, settleSeconds, seconds }: LoadOrder): Promise<LoadResult> {
  let measuredFrom = Infinity;
  let endAt = Infinity;
  const result = { answers: [] as { slot: number; latencyMs: number }[], failed: 0 };
  const send = async (agent: Agent, bytes: Buffer): Promise<number | undefined> => {
    const sentAt = performance.now();
    const answer = await postRaw(url, bytes, { agent }).catch(() => undefined);
    const now = performance.now();
    const slot = answer?.status === 200 ? answer.body.worker?.slot : undefined;
    if (now >= measuredFrom && now <= endAt) {
      if (slot === undefined) result.failed += 1;
      else result.answers.push({ slot, latencyMs: now - sentAt });
    }
    return slot;
  };
  const joining = await joinClients(crowd === 'mixed' ? mixKinds(clients, seed) : crowdKinds(clients), send);
  const staying = crowd === 'mixed' ? joining : joining.filter(({ slot }) => slot === 0);
  for (const { agent } of joining.filter((client) => !staying.includes(client))) agent.destroy();
  measuredFrom = performance.now() + settleSeconds * 1000;
  endAt = measuredFrom + seconds * 1000;
  setTimeout(() => process.send?.('measuring'), settleSeconds * 1000);
  await Promise.all(staying.map((client, index) => runClient(client, createRandom(seed, index), endAt, send)));
  return result;
}

type Send = (agent: Agent, bytes: Buffer) => Promise<number | undefined>;

interface Client {
  readonly kind: (typeof kinds)[number];
  readonly agent: Agent;
  /** Of the worker that answered its first request. */
  readonly slot: number | undefined;
}

/** One after the other, for the seed to decide who comes to which worker. */
async function joinClients(order: readonly Client['kind'][], send: Send): Promise<Client[]> {
  const clients: Promise<Client>[] = [];
  for (const kind of order) {
    const agent = new Agent({ keepAlive: kind !== 'brief', maxSockets: 1 });
    clients.push(send(agent, pickPhoto(0)).then((slot) => ({ kind, agent, slot })));
    await delay(staggerMs);
  }
  return Promise.all(clients);
}

async function runClient({ kind, agent }: Client, random: Random, endAt: number, send: Send): Promise<void> {
  if (kind === 'idle') await delay(endAt - performance.now());
  while (performance.now() < endAt) {
    await send(agent, pickPhoto(random()));
    if (kind === 'slow') await delay(random() * maxPauseMs);
  }
  agent.destroy();
}

function mixKinds(clients: number, seed: number): Client['kind'][] {
  const mixed = Array.from({ length: clients }, (_, index) => kinds[index % kinds.length] ?? 'busy');
  return shuffle(createRandom(seed), mixed);
}

function crowdKinds(clients: number): Client['kind'][] {
  return Array.from({ length: 2 * clients }, () => 'busy');
}

/** Most pictures are small. */
function pickPhoto(chance: number): Buffer {
  const photo = chance < 0.6 ? small : chance < 0.9 ? medium : large;
  if (photo === undefined) throw new Error('three pictures are needed');
  return photo;
}
