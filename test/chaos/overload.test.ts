import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readAccessLines } from '../fixtures/access-lines.ts';
import { describeGrowth, measureResources, type Resources } from '../fixtures/resources.ts';
import {
  describeLoad,
  type LoadReport,
  startOfferedLoad,
  startRunningLoad,
  toPercentile,
} from '../fixtures/running-load.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';
import { drawPlain } from '../image/fixtures.ts';

/** Longer than the deadline, so that a queue without bounds would show; the full half minute is the bench's. */
const overloadMs = 8000;
const deadlineMs = 3000;
const factor = 10;
/** One worker holds 256 MiB of uploads at most (upload.maxBufferedBytes), and decodes two pictures. */
const maxGrowthBytes = 320 * 2 ** 20;

/** Uploads that two clients get done in a second. */
async function measureCapacity(context: test.TestContext, service: Service, picture: Buffer): Promise<number> {
  const load = startRunningLoad(context, service.url, picture, { clients: 2 });
  const startedAt = performance.now();
  await waitFor(() => load.outcomes.length >= 40);
  const perSecond = (load.outcomes.length * 1000) / (performance.now() - startedAt);
  await load.stop();
  return perSecond;
}

/** Measures a service again and again; what is told is the most that each of its processes held. */
async function watchPeak(service: Service, isOver: () => boolean): Promise<Resources[]> {
  let peak = await measureResources(service);
  while (!isOver()) {
    const now = await measureResources(service);
    peak = now.map((resources, index) => {
      const privateBytes = Math.max(resources.privateBytes, peak[index]?.privateBytes ?? 0);
      return { ...resources, privateBytes };
    });
    await delay(200);
  }
  return peak;
}

/** Durations of the answers with a status, as the clients saw them. */
function listDurations({ outcomes }: LoadReport, status: number): number[] {
  return outcomes.flatMap(({ result, tookMs }) =>
    result.kind === 'answered' && result.answer.status === status ? [tookMs] : [],
  );
}

function describeDurations(durationsMs: readonly number[]): string {
  const [half, most] = [0.5, 0.99].map((share) => toPercentile(durationsMs, share).toFixed(0));
  return `p50 ${half ?? ''} ms, p99 ${most ?? ''} ms`;
}

function countOutcomes({ outcomes }: LoadReport): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { result } of outcomes) {
    const what =
      result.kind === 'answered' ? [result.answer.status, result.answer.body.code ?? []].flat().join(' ') : result.kind;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

test('ten_times_the_load_is_served_in_time_or_refused_and_leaves_nothing_behind', async (context) => {
  const settings = [`check.deadlineMs=${String(deadlineMs)}`, 'log.access=json'];
  const service = await startService(context, { args: settings.flatMap((setting) => ['--set', setting]) });
  // Few bytes and much to decode: the clients, on the same CPUs, have little to do.
  const picture = await drawPlain([90, 120, 150], 2400, 1800).png().toBuffer();
  await warmWorkers(service, picture);
  const capacity = await measureCapacity(context, service, picture);
  const before = await measureResources(service);

  let isOver = false;
  const watching = watchPeak(service, () => isOver);
  const load = startOfferedLoad(context, service.url, picture, factor * capacity);
  await delay(overloadMs);
  const report = await load.stop();
  isOver = true;
  const peak = await watching;

  const counts = countOutcomes(report);
  // As the service itself measures: on a busy machine the clients' own delay comes on top.
  const lines = readAccessLines(service);
  const acceptedMs = report.outcomes
    .map(({ requestId }) => lines.get(requestId))
    .flatMap((line) => (line?.status === 200 || line?.status === 504 ? [line.msecs] : []));
  console.log(`${capacity.toFixed(1)} uploads a second are what it can do; offered ${String(factor)} times as many`);
  console.log(describeLoad(report), counts);
  console.log(
    `accepted: ${describeDurations(acceptedMs)}; as the clients saw it ${describeDurations(listDurations(report, 200))}`,
  );
  console.log(`refused: ${describeDurations(listDurations(report, 429))}`);
  console.log(`at most, more than before: ${describeGrowth(before, peak)}`);
  for (const [index, { privateBytes }] of peak.entries()) {
    assert.ok(privateBytes < (before[index]?.privateBytes ?? 0) + maxGrowthBytes);
  }

  for (let index = 0; index < 20; index += 1) assert.equal((await postRaw(service.url, picture)).status, 200);
  await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_in_flight')) === 0);
  assert.equal(await readTotal(service.opsUrl, 'image_check_queue_depth'), 0);
  const after = await measureResources(service);
  assert.deepEqual(
    after.map(({ pid }) => pid),
    before.map(({ pid }) => pid),
    'the same processes',
  );

  const { '200': done = 0, '429 ERR_OVERLOADED': refused = 0, '504 ERR_DEADLINE': late = 0, ...others } = counts;
  assert.deepEqual(others, {});
  assert.ok(refused > done && done > 0);
  assert.ok(toPercentile(acceptedMs, 0.99) < deadlineMs, `${String(late)} were accepted and not done in time`);
  for (const { result } of report.failed) {
    if (result.kind !== 'answered' || result.answer.status === 504) continue;
    assert.ok(Number(result.answer.headers['retry-after']) >= 1);
  }
});
