// What happens at a multiple of the load that the service can take? Each round measures the capacity, then 90 % of it, then the
// overload, then the capacity again, as the speed of a shared machine drifts. Takes three minutes a round.
// --times 10 --seconds 30 --rounds 1
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makePhoto } from '../test/fixtures/pictures.ts';
import { type Service, startService } from '../test/fixtures/service.ts';
import { postRaw } from '../test/fixtures/uploads.ts';
import { waitFor } from '../test/fixtures/wait-for.ts';
import { writeMobileNet } from './mobilenet.ts';
import type { PacedAnswer, PaceOrder } from './open-load.ts';
import { readCpuMs } from './process-usage.ts';
import { toMedian, toQuantile } from './statistics.ts';

const { values: flags } = parseArgs({
  options: {
    times: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '1' },
  },
});
const overload = Number(flags.times);
const seconds = Number(flags.seconds);
/** Of each load, so that the overload has been noticed. */
const discardedMs = 5000;
const workers = 2;
/** For the capacity: two full batches for each worker. */
const uploadsAtOnce = 32;
const capacitySeconds = 10;
const refusedMs = 1000;
const sampleMs = 500;
/** So many answers in a row, none slower than twice the idle median, are a recovery. */
const calmAnswers = 5;

const loadBefore = os.loadavg()[0] ?? NaN;
const dir = mkdtempSync(path.join(os.tmpdir(), 'image-check-bench-'));
const cleanUps: (() => unknown)[] = [
  () => {
    rmSync(dir, { recursive: true, force: true });
  },
];
try {
  // One that costs more than receiving a picture: else ten times the load is more than one client can send.
  await writeMobileNet(dir, 'quality');
  const photo = await makePhoto(1, 320, 240);
  const file = path.join(dir, 'photo.jpg');
  writeFileSync(file, photo);
  const args = ['--models', dir, '--workers', String(workers), '--set', 'log.access=off', '--set', 'model.load=eager'];
  const environment = { IMAGE_CHECK_MODEL_COMPILE: 'true' };
  const service = await startService({ after: (cleanUp) => cleanUps.unshift(cleanUp) }, { args, environment });
  const load = fork(path.join(import.meta.dirname, 'open-load.ts'));
  cleanUps.unshift(() => load.kill('SIGKILL'));
  await measure(service, load, file);
} finally {
  for (const cleanUp of cleanUps) cleanUp();
}

/** Two loads between two measurements of the capacity. */
interface Round {
  /** Answers a second, before and after. */
  readonly capacities: readonly [number, number];
  readonly normal: readonly PacedAnswer[];
  readonly over: readonly PacedAnswer[];
  /** CPU time of the process that sends, during the overload. */
  readonly clientCpuMs: number;
}

async function areAllReady(service: Service): Promise<boolean> {
  return (await service.health()).workers.every(({ ready }) => ready);
}

async function measure(service: Service, load: ChildProcess, file: string): Promise<void> {
  const photo = readFileSync(file);
  await waitFor(() => areAllReady(service), 'all workers are ready', 120_000);
  let capacity = await measureCapacity(service, photo);
  const idleMs = toMedian(await probe(service, photo, 20));
  console.log(`
${os.cpus()[0]?.model ?? 'unknown CPU'} × ${String(os.availableParallelism())}, load average ${loadBefore.toFixed(1)} before, Node ${process.version}
${String(workers)} workers, MobileNetV2 224 × 224 compiled; idle answer ${idleMs.toFixed(0)} ms; ${String(overload)} times the capacity for ${String(seconds)} s
`);
  const rounds: Round[] = [];
  while (rounds.length < Number(flags.rounds)) {
    const normal = await sendLoad(load, toOrder(service, file, 0.9 * capacity));
    const before = await readMemory(service);
    const memory = startSampling(service);
    const cpuBefore = readCpuMs([load.pid ?? 0]);
    const answered = sendLoad(load, toOrder(service, file, overload * capacity));
    await delay(seconds * 1000);
    const recoveryMs = await measureRecovery(service, photo, idleMs);
    const over = await answered;
    const clientCpuMs = readCpuMs([load.pid ?? 0]) - cpuBefore;
    const { peak, missed } = memory.stop();
    await waitFor(async () => (await service.health()).workers.every(({ inFlight }) => inFlight === 0));
    const capacityAfter = await measureCapacity(service, photo);
    const round: Round = { capacities: [capacity, capacityAfter], normal, over, clientCpuMs };
    rounds.push(round);
    capacity = capacityAfter;
    reportAnswers(over);
    reportAccepted(toRatios(round));
    reportMemory({ before, peak, after: await readMemory(service) });
    console.log(
      `recovery: ${(recoveryMs / 1000).toFixed(1)} s from the last request sent until ${String(calmAnswers)} answers in a row take at most twice ${idleMs.toFixed(0)} ms`,
    );
    console.log(`restarts: ${await readRestarts(service)}; /health without an answer: ${String(missed)}`);
  }
  const all = rounds.map(toRatios);
  const median = (of: (ratios: Ratios) => number): number => toMedian(all.map(of));
  console.log(`\nmedians of ${String(rounds.length)} rounds:`);
  reportAccepted({
    capacities: [median(({ capacities: [first] }) => first), median(({ capacities: [, last] }) => last)],
    normalP99: median(({ normalP99 }) => normalP99),
    overP99: median(({ overP99 }) => overP99),
    p99Ratio: median(({ p99Ratio }) => p99Ratio),
    share: median(({ share }) => share),
    refusalP50: median(({ refusalP50 }) => refusalP50),
    refusedAtNormal: median(({ refusedAtNormal }) => refusedAtNormal),
    clientCpus: median(({ clientCpus }) => clientCpus),
  });
}

function toOrder({ url }: Service, file: string, perSecond: number): PaceOrder {
  const order = { url: `${url}/v1/check`, files: [file], contentType: 'image/jpeg', perSecond, seconds };
  return { ...order, arrivals: 'poisson' };
}

async function sendLoad(load: ChildProcess, order: PaceOrder): Promise<PacedAnswer[]> {
  load.send(order);
  const [answers] = (await once(load, 'message')) as [PacedAnswer[]];
  return answers;
}

/** Requests a second that are answered while there is always work and never too much. */
async function measureCapacity(service: Service, photo: Buffer): Promise<number> {
  let answered = 0;
  const endAt = performance.now() + capacitySeconds * 1000;
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (performance.now() < endAt) {
      const { status } = await postRaw(service.url, photo, { agent });
      if (status === 200) answered += 1;
      // Right after an overload some are refused; clients that came again at once would keep it up.
      else await delay(refusedMs);
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: uploadsAtOnce }, client));
  return answered / capacitySeconds;
}

/** One after the other. @returns the time of each in ms, NaN for what is no verdict */
async function probe({ url }: Service, photo: Buffer, count: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) {
    const askedAt = performance.now();
    const status = await postRaw(url, photo).then(
      (answer) => answer.status,
      () => 0,
    );
    times.push(status === 200 ? performance.now() - askedAt : NaN);
  }
  return times;
}

async function measureRecovery(service: Service, photo: Buffer, idleMs: number): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const from = performance.now() - startedAt;
    if ((await probe(service, photo, calmAnswers)).every((ms) => ms <= 2 * idleMs)) return from;
  }
}

async function readMemory(service: Service): Promise<number[]> {
  return (await service.health()).workers.map(({ memory }) => memory.privateBytes);
}

async function readRestarts({ opsUrl }: Service): Promise<string> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  const counts = [...text.matchAll(/^image_check_worker_restarts_total\{reason="(\w+)"\} ([1-9]\d*)$/gm)];
  return counts.map(([, reason, count]) => `${count ?? ''} ${reason ?? ''}`).join(', ') || 'none';
}

/** Records the peak of each worker, and how often a sample was missing. */
function startSampling(service: Service): { stop: () => { peak: number[]; missed: number } } {
  let peak: number[] = [];
  let missed = 0;
  const note = (bytes: readonly number[]): void => {
    peak = bytes.map((value, slot) => Math.max(value, peak[slot] ?? 0));
  };
  const timer = setInterval(() => {
    readMemory(service).then(note, () => (missed += 1));
  }, sampleMs);
  return {
    stop: () => {
      clearInterval(timer);
      return { peak, missed };
    },
  };
}

function reportAnswers(answers: readonly PacedAnswer[]): void {
  const statuses = [...new Set(answers.map(({ status }) => status))].sort((a, b) => a - b);
  const rows = statuses.map((status) => {
    const those = answers.filter((answer) => answer.status === status);
    const times = those.map(({ latencyMs }) => latencyMs);
    const retryAfter = those.flatMap(({ retryAfterSeconds = [] }) => retryAfterSeconds);
    const row = {
      answers: those.length,
      'p50, ms': toMedian(times).toFixed(0),
      'p99, ms': toQuantile(times, 0.99).toFixed(0),
      'max, ms': toQuantile(times, 1).toFixed(0),
      'Retry-After, s':
        retryAfter.length === 0 ? '' : `${String(Math.min(...retryAfter))} … ${String(Math.max(...retryAfter))}`,
    };
    return [status === 0 ? 'no answer' : String(status), row] as const;
  });
  console.table(Object.fromEntries(rows));
}

/** What was accepted in the overload beside what is at 90 % of the capacity, each without its first seconds. */
interface Ratios {
  readonly capacities: readonly [number, number];
  readonly normalP99: number;
  readonly overP99: number;
  readonly p99Ratio: number;
  /** Of the mean of both capacities. */
  readonly share: number;
  readonly refusalP50: number;
  readonly refusedAtNormal: number;
  /** CPUs of this machine that sent the overload. */
  readonly clientCpus: number;
}

function toRatios({ capacities, normal, over, clientCpuMs }: Round): Ratios {
  const late = (answers: readonly PacedAnswer[], status: number): number[] =>
    answers.flatMap((answer) => (answer.status === status && answer.dueMs >= discardedMs ? [answer.latencyMs] : []));
  const [normalMs, overMs] = [late(normal, 200), late(over, 200)];
  const [normalP99, overP99] = [toQuantile(normalMs, 0.99), toQuantile(overMs, 0.99)];
  return {
    capacities,
    normalP99,
    overP99,
    p99Ratio: overP99 / normalP99,
    share: overMs.length / (seconds - discardedMs / 1000) / ((capacities[0] + capacities[1]) / 2),
    refusalP50: toMedian(late(over, 429)),
    refusedAtNormal: late(normal, 429).length,
    clientCpus: clientCpuMs / 1000 / seconds,
  };
}

function reportAccepted(ratios: Ratios): void {
  const [before, after] = ratios.capacities;
  console.log(
    `capacity ${before.toFixed(0)} a second before, ${after.toFixed(0)} after; accepted p99: ${ratios.normalP99.toFixed(0)} ms at 90 %, ${ratios.overP99.toFixed(0)} ms (${ratios.p99Ratio.toFixed(1)} times that) in the overload; accepted ${ratios.share.toFixed(2)} of the capacity; refusals p50 ${ratios.refusalP50.toFixed(0)} ms; refused at 90 %: ${String(ratios.refusedAtNormal)}; CPUs that sent the overload: ${ratios.clientCpus.toFixed(2)} of ${String(os.availableParallelism())}`,
  );
}

function reportMemory(memory: Readonly<Record<'before' | 'peak' | 'after', readonly number[]>>): void {
  const toRow = (bytes: readonly number[]): Record<string, string> =>
    Object.fromEntries(bytes.map((value, slot) => [`worker ${String(slot)}, MB private`, (value / 1e6).toFixed(0)]));
  console.table({ before: toRow(memory.before), peak: toRow(memory.peak), after: toRow(memory.after) });
}
