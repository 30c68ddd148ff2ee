// What clients wait when the primary hands each connection to a worker, against Node's round robin; the same workers on
// both sides, in turns. Takes ten minutes.
// --slow-model: MobileNetV2 224 operation by operation instead of the shipped model, which costs less than decoding
// --other DIR: another checkout's dispatch in the place of round robin
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makePhoto } from '../test/fixtures/pictures.ts';
import type { Dispatching, Place } from './dispatch-service.ts';
import { writeMobileNet } from './mobilenet.ts';
import { readCpuMs, readMachineCpuMs } from './process-usage.ts';
import { toMedian, toQuantile } from './statistics.ts';
import type { Crowd, LoadOrder, LoadResult } from './uneven-load.ts';

const settleSeconds = 1.5;
const seconds = 4;
/** A round waits until other programs take less of the CPUs, and is repeated when they took more during it. */
const maxForeignShare = 0.1;
const maxQuietWaitMs = 120_000;
const maxDisturbed = 20;
const pictures = [
  [320, 240],
  [640, 480],
  [1600, 1200],
] as const;

const { values } = parseArgs({
  options: {
    'slow-model': { type: 'boolean' },
    other: { type: 'string' },
    rounds: { type: 'string', default: '12' },
  },
});
const rounds = Number(values.rounds);
const otherName = values.other === undefined ? 'round robin' : 'the other checkout';
const loadBefore = os.loadavg()[0] ?? NaN;
const dir = mkdtempSync(path.join(os.tmpdir(), 'image-check-bench-'));
const children: ChildProcess[] = [];
try {
  const modelsDir = values['slow-model'] === true ? dir : path.join(import.meta.dirname, '..', 'models');
  if (values['slow-model'] === true) await writeMobileNet(dir, 'quality');
  const [own, other] = await Promise.all([
    startDispatching(import.meta.dirname, 'dispatch', modelsDir),
    values.other === undefined
      ? startDispatching(import.meta.dirname, 'round-robin', modelsDir)
      : startDispatching(path.resolve(values.other, 'bench'), 'dispatch', modelsDir),
  ]);
  const load = await startLoad();
  const machine = `${os.cpus()[0]?.model ?? 'unknown CPU'} × ${String(os.availableParallelism())}`;
  console.log(`${machine}, Node ${process.version}, ${String(rounds)} rounds, ${String(seconds)} s a slice`);
  for (const crowd of ['mixed', 'crowded'] as const) {
    for (const clients of [8, 32]) await compare(load, own, other, crowd, clients);
  }
  console.log(`load average ${loadBefore.toFixed(1)} before, ${(os.loadavg()[0] ?? NaN).toFixed(1)} after`);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}

function startChild(script: string, args: readonly string[]): ChildProcess {
  const child = fork(script, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(child);
  return child;
}

async function startDispatching(benchDir: string, dispatching: Dispatching, modelsDir: string): Promise<Place> {
  const child = startChild(path.join(benchDir, 'dispatch-service.ts'), [dispatching, modelsDir]);
  let place: Place | undefined;
  for (;;) {
    const [message] = (await once(child, 'message')) as [Place | 'ready'];
    if (message !== 'ready') place = message;
    else if (place !== undefined) return place;
  }
}

async function startLoad(): Promise<ChildProcess> {
  const files: string[] = [];
  for (const [width, height] of pictures) {
    const file = path.join(dir, `${String(width)}.jpg`);
    writeFileSync(file, await makePhoto(width, width, height));
    files.push(file);
  }
  return startChild(path.join(import.meta.dirname, 'uneven-load.ts'), files);
}

interface Slice {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
  readonly failed: number;
  /** Of all CPUs, what other programs took. */
  readonly foreignShare: number;
  readonly cpuMsPerRequest: number;
  /** The slower worker's median latency by the faster one's. */
  readonly slowerByFaster: number;
}

async function measureSlice(
  load: ChildProcess,
  { port, pids }: Place,
  crowd: Crowd,
  clients: number,
  seed: number,
): Promise<Slice> {
  const order: LoadOrder = { url: `http://127.0.0.1:${String(port)}`, crowd, clients, seed, settleSeconds, seconds };
  load.send(order);
  await once(load, 'message');
  const before = readCpu(load, pids);
  const [{ answers, failed }] = (await once(load, 'message')) as [LoadResult];
  const after = readCpu(load, pids);
  const cpuMs = after.serviceMs - before.serviceMs;
  const all = answers.map(({ latencyMs }) => latencyMs);
  const slots = [...new Set(answers.map(({ slot }) => slot))];
  const ofWorkers = slots.map((slot) =>
    toMedian(answers.filter((answer) => answer.slot === slot).map(({ latencyMs }) => latencyMs)),
  );
  return {
    p50Ms: toMedian(all),
    p95Ms: toQuantile(all, 0.95),
    p99Ms: toQuantile(all, 0.99),
    requests: all.length,
    failed,
    foreignShare: (after.foreignMs - before.foreignMs) / ((after.atMs - before.atMs) * os.availableParallelism()),
    cpuMsPerRequest: cpuMs / all.length,
    slowerByFaster: Math.max(...ofWorkers) / Math.min(...ofWorkers),
  };
}

/** Idle services use almost no CPU. */
async function waitForQuiet(): Promise<void> {
  const giveUpAt = performance.now() + maxQuietWaitMs;
  let share = 1;
  while (share > maxForeignShare && performance.now() < giveUpAt) {
    const before = { atMs: performance.now(), cpuMs: readMachineCpuMs() };
    await delay(1000);
    share = (readMachineCpuMs() - before.cpuMs) / ((performance.now() - before.atMs) * os.availableParallelism());
  }
}

function readCpu(load: ChildProcess, pids: readonly number[]): Record<'atMs' | 'serviceMs' | 'foreignMs', number> {
  const serviceMs = readCpuMs(pids);
  const foreignMs = readMachineCpuMs() - serviceMs - readCpuMs([load.pid ?? 0, process.pid]);
  return { atMs: performance.now(), serviceMs, foreignMs };
}

/** The two sides meet the same clients in each round; who begins changes with the rounds. */
async function compare(load: ChildProcess, own: Place, other: Place, crowd: Crowd, clients: number): Promise<void> {
  const slices: { own: Slice; other: Slice }[] = [];
  let disturbed = 0;
  while (slices.length < rounds) {
    const round = slices.length;
    await waitForQuiet();
    const measure = (place: Place): Promise<Slice> => measureSlice(load, place, crowd, clients, 1000 * clients + round);
    const first = await measure(round % 2 === 0 ? own : other);
    const second = await measure(round % 2 === 0 ? other : own);
    if (Math.max(first.foreignShare, second.foreignShare) > maxForeignShare && disturbed < maxDisturbed) {
      disturbed += 1;
      continue;
    }
    const pair = round % 2 === 0 ? { own: first, other: second } : { own: second, other: first };
    slices.push(pair);
    console.log(
      `round ${String(slices.length)}: p99 ${pair.own.p99Ms.toFixed(0)} ms, ${pair.other.p99Ms.toFixed(0)} ms`,
    );
  }
  console.log(
    `\n${String(clients)} clients, ${crowd}; ${String(disturbed)} disturbed rounds repeated; medians of the rounds`,
  );
  report(slices);
}

function report(slices: readonly { own: Slice; other: Slice }[]): void {
  const toRow = (of: keyof Slice): Record<string, string> => {
    const ratios = slices.map(({ own, other }) => own[of] / other[of]);
    return {
      dispatch: toMedian(slices.map(({ own }) => own[of])).toFixed(2),
      [otherName]: toMedian(slices.map(({ other }) => other[of])).toFixed(2),
      ratio: toMedian(ratios).toFixed(3),
      'quarter to three quarters': `${toQuantile(ratios, 0.25).toFixed(3)} … ${toQuantile(ratios, 0.75).toFixed(3)}`,
      'ratio of each round': ratios.map((ratio) => ratio.toFixed(2)).join(' '),
    };
  };
  console.table({
    'p50, ms': toRow('p50Ms'),
    'p95, ms': toRow('p95Ms'),
    'p99, ms': toRow('p99Ms'),
    requests: toRow('requests'),
    'CPU, ms a request': toRow('cpuMsPerRequest'),
    'CPU of other programs, share': toRow('foreignShare'),
    'p50, slower worker : faster': toRow('slowerByFaster'),
  });
  const failed = slices.map(({ own, other }) => [own.failed, other.failed]);
  console.log(`failed requests of each round: ${JSON.stringify(failed)}`);
}
