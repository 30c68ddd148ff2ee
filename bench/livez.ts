// How fast is /livez on the public port while every model thread is busy? Prints a table; takes about a minute.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makePhoto } from '../test/fixtures/pictures.ts';
import { type Service, startService } from '../test/fixtures/service.ts';
import { readTotal } from '../test/fixtures/uploads.ts';
import { waitFor } from '../test/fixtures/wait-for.ts';
import { type Latencies, probeLatency } from './latency-probe.ts';
import { writeMobileNet } from './mobilenet.ts';

const workers = 2;
/** Two full batches for each worker: while one runs, the next one waits. */
const uploadsAtOnce = 32;
const seconds = 20;
const perSecond = 20;
const targetMs = 50;

const loadBefore = os.loadavg()[0] ?? NaN;
const dir = mkdtempSync(path.join(os.tmpdir(), 'image-check-bench-'));
const cleanUps: (() => unknown)[] = [
  () => {
    rmSync(dir, { recursive: true, force: true });
  },
];
try {
  await writeMobileNet(dir, 'quality');
  const photo = path.join(dir, 'photo.jpg');
  writeFileSync(photo, await makePhoto());
  const args = ['--models', dir, '--workers', String(workers), '--set', 'log.access=off'];
  const service = await startService({ after: (cleanUp) => cleanUps.unshift(cleanUp) }, { args });
  const idle = await probe(service);
  startUploads(service, photo);
  await waitFor(
    async () => (await service.health()).workers.every(({ checked }) => checked > 16),
    'every worker is busy',
    120_000,
  );
  const before = await readWork(service);
  const busy = await probe(service);
  const after = await readWork(service);
  report(await readEngine(service), idle, busy, before, after);
} finally {
  for (const cleanUp of cleanUps) cleanUp();
}

interface Probed {
  readonly fresh: Latencies;
  readonly kept: Latencies;
}

/** Both kinds of clients at the same time: they meet the same load. */
async function probe({ url }: Service): Promise<Probed> {
  const options = { url: `${url}/livez`, seconds, perSecond };
  const [fresh, kept] = await Promise.all([
    probeLatency({ ...options, connections: 0 }),
    // As many as workers, as each gets its share of the connections.
    probeLatency({ ...options, connections: workers }),
  ]);
  return { fresh, kept };
}

/** In a process of its own: its work must not delay the measuring. */
function startUploads({ url }: Service, photo: string): void {
  const script = path.join(import.meta.dirname, 'upload-load.ts');
  const child = fork(script, [`${url}/v1/check`, photo, String(uploadsAtOnce)], { stdio: 'ignore' });
  cleanUps.unshift(() => child.kill('SIGKILL'));
}

interface Work {
  readonly atMs: number;
  readonly runs: number;
  readonly runSeconds: number;
  readonly images: number;
  readonly uploads: number;
  readonly errors: number;
}

async function readWork({ opsUrl }: Service): Promise<Work> {
  const [runs, runSeconds, images, uploads, errors] = await Promise.all([
    readTotal(opsUrl, 'image_check_inference_duration_seconds_count'),
    readTotal(opsUrl, 'image_check_inference_duration_seconds_sum'),
    readTotal(opsUrl, 'image_check_batch_size_sum'),
    readTotal(opsUrl, 'image_check_http_requests_total', 'route="/v1/check"'),
    readTotal(opsUrl, 'image_check_errors_total'),
  ]);
  return { atMs: performance.now(), runs, runSeconds, images, uploads, errors };
}

async function readEngine(service: Service): Promise<string> {
  const [worker] = (await service.health()).workers;
  return worker?.models['quality']?.engine ?? 'unknown';
}

function report(engine: string, idle: Probed, busy: Probed, before: Work, after: Work): void {
  const passedSeconds = (after.atMs - before.atMs) / 1000;
  const runs = after.runs - before.runs;
  const runSeconds = after.runSeconds - before.runSeconds;
  const busyPercent = (100 * runSeconds) / (passedSeconds * workers);
  const p99Ms = Math.max(busy.fresh.p99Ms, busy.kept.p99Ms);
  const machine = `${os.cpus()[0]?.model ?? 'unknown CPU'} × ${String(os.availableParallelism())}`;
  console.log(`
/livez on the public port: ${String(workers)} workers, MobileNetV2 224 × 224 on ${engine}, ${String(uploadsAtOnce)} uploads at once
${machine}, load average ${loadBefore.toFixed(1)} before, Node ${process.version}

                    p50       p99       max    failed of ${String(seconds * perSecond)}
idle, fresh  ${toRow(idle.fresh)}
idle, kept   ${toRow(idle.kept)}
busy, fresh  ${toRow(busy.fresh)}
busy, kept   ${toRow(busy.kept)}

p99 busy : idle  ${(busy.fresh.p99Ms / idle.fresh.p99Ms).toFixed(1)} fresh, ${(busy.kept.p99Ms / idle.kept.p99Ms).toFixed(1)} kept
model threads    ${busyPercent.toFixed(0)} % of the time in a run; ${((1000 * runSeconds) / runs).toFixed(0)} ms a run of ${((after.images - before.images) / runs).toFixed(1)} images
uploads          ${((after.uploads - before.uploads) / passedSeconds).toFixed(1)} a second, ${String(after.errors - before.errors)} errors
target           p99 within ${String(targetMs)} ms while busy: ${p99Ms <= targetMs ? 'held' : 'MISSED'}
`);
}

function toRow({ p50Ms, p99Ms, maxMs, failed }: Latencies): string {
  const times = [p50Ms, p99Ms, maxMs].map((ms) => `${ms.toFixed(1)} ms`.padStart(10));
  return `${times.join('')}${String(failed).padStart(10)}`;
}
