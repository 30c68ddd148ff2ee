import { Agent } from 'node:http';
import { readTreeCpuMs } from '../bench/process-tree.ts';
import { toMessage } from '../src/errors.ts';
import { createRandom } from '../src/train/samples/random.ts';
import { makePhoto } from '../test/fixtures/pictures.ts';
import { assertUnharmed, describeLoad, startRunningLoad } from '../test/fixtures/running-load.ts';
import { type Health, type Service, startService } from '../test/fixtures/service.ts';
import { postRaw, readTotal } from '../test/fixtures/uploads.ts';
import { waitFor } from '../test/fixtures/wait-for.ts';
import { warmWorkers } from '../test/fixtures/warm-workers.ts';
import type { Input } from './corpus.ts';
import type { Findings } from './findings.ts';
import { drawIndex } from './mutator.ts';
import { upload } from './outcome.ts';
import { createTally, type Tally } from './tally.ts';

const connections = 8;
/** One upload in four is a form of two to five pictures. */
const formShare = 0.25;
const maxFormPictures = 5;

/** Inputs to upload. */
export interface ServiceRun {
  readonly inputs: Iterator<Input, undefined>;
  readonly runSeed: number;
  /** No more inputs are taken after these. */
  readonly milliseconds: number;
  readonly findings: Findings;
}

interface Cleanup {
  after(cleanUp: () => void): void;
}

/** Uploads inputs to a real service of two workers, beside a client with a good picture; prints a table. */
export async function fuzzService(context: Cleanup, run: ServiceRun): Promise<void> {
  const service = await startService(context, { args: ['--set', 'log.access=off'] });
  const photo = await makePhoto();
  const before = await warmWorkers(service, photo);
  const polite = startRunningLoad(context, service.url, photo, { clients: 1, pauseMs: 300 });
  const startedAt = performance.now();
  const cpuBefore = readTreeCpuMs(service.process.pid ?? 0);
  const tally = await uploadAll(context, service, run, photo);
  const cpuMs = readTreeCpuMs(service.process.pid ?? 0) - cpuBefore;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  const each = (cpuMs / Math.max(1, tally.count())).toFixed(1);
  console.log(`${String(tally.count())} pictures through the service in ${seconds} s, ${each} ms of CPU for each`);
  console.log(tally.describe());
  const report = await polite.stop();
  console.log(describeLoad(report));
  await note(run.findings, 'the good picture beside them', () => {
    assertUnharmed(report);
  });
  await note(run.findings, 'afterwards', () => assertUnharmedService(service, before, photo));
}

async function uploadAll(context: Cleanup, service: Service, run: ServiceRun, photo: Buffer): Promise<Tally> {
  const tally = createTally();
  const takeUntil = performance.now() + run.milliseconds;
  // All inputs that the workers hold at a time: if a worker dies, any of them may be the cause.
  const inFlight = new Set<Input>();
  const runClient = async (number: number): Promise<void> => {
    const random = createRandom(run.runSeed, -2 - number);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    context.after(() => {
      agent.destroy();
    });
    for (;;) {
      const batch = performance.now() < takeUntil ? takeBatch(run.inputs, random) : [];
      if (batch.length === 0) return;
      for (const input of batch) inFlight.add(input);
      const sentAt = performance.now();
      const outcomes = await upload(service.url, batch, photo, agent);
      const tookMs = performance.now() - sentAt;
      for (const [index, { said, isExpected, isAnswered }] of outcomes.entries()) {
        const [input] = batch.slice(index);
        if (input === undefined) continue;
        tally.add(input.format, said, input.name, tookMs);
        if (!isExpected && isAnswered) run.findings.add(`${input.name}: ${said}`, [input]);
      }
      const lost = outcomes.find(({ isAnswered }) => !isAnswered);
      if (lost !== undefined) {
        run.findings.add(`${batch.map(({ name }) => name).join(', ')}: ${lost.said}`, [...inFlight]);
      }
      for (const input of batch) inFlight.delete(input);
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, number) => runClient(number)));
  return tally;
}

async function note(findings: Findings, what: string, check: () => void | Promise<void>): Promise<void> {
  try {
    await check();
  } catch (thrown) {
    findings.add(`${what}: ${toMessage(thrown)}`, []);
  }
}

function takeBatch(inputs: ServiceRun['inputs'], random: () => number): Input[] {
  const wanted = random() < formShare ? 2 + drawIndex(random, maxFormPictures - 1) : 1;
  const batch: Input[] = [];
  while (batch.length < wanted) {
    const next = inputs.next();
    if (next.done === true) break;
    batch.push(next.value);
  }
  return batch;
}

async function assertUnharmedService(service: Service, before: Health['workers'], photo: Buffer): Promise<void> {
  const inFlight = (): Promise<number> => readTotal(service.opsUrl, 'image_check_in_flight');
  await waitFor(async () => (await inFlight()) === 0, 'nothing is in flight', 120_000);
  const identify = ({ slot, pid, restarts }: Health['workers'][number]): string =>
    `slot ${String(slot)}: pid ${String(pid)}, ${String(restarts)} restarts`;
  const after = (await service.health()).workers;
  if (after.map(identify).join() !== before.map(identify).join()) {
    throw new Error(`a worker was replaced: ${before.map(identify).join('; ')} → ${after.map(identify).join('; ')}`);
  }
  for (const worker of after) {
    const { status, body } = await postRaw(service.url, photo);
    if (status !== 200) throw new Error(`${String(status)} ${body.code ?? ''} with worker ${String(worker.slot)}`);
  }
}
