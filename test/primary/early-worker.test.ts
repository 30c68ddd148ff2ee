import assert from 'node:assert/strict';
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { EarlyWorker } from '../../src/primary/supervise/early-worker.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

async function forkEarly(context: TestContext, script: string): Promise<{ early: EarlyWorker; worker: Worker }> {
  const file = path.join(makeTempDir(context), 'worker.mjs');
  writeFileSync(file, script);
  const forked = once(cluster, 'fork') as Promise<[Worker]>;
  const early = new EarlyWorker(file);
  const [worker] = await forked;
  context.after(() => worker.process.kill('SIGKILL'));
  return { early, worker };
}

const greet = "process.on('message', () => process.send('here')); process.send({ type: 'hello' });";

test('what_an_early_worker_says_is_kept_until_it_is_taken', async (context) => {
  const { early, worker } = await forkEarly(context, greet);
  await once(worker, 'message');
  const taken = early.take();
  assert.equal(taken?.worker, worker);
  assert.deepEqual(taken.heard, [{ type: 'hello' }]);
  assert.equal(early.take(), undefined);
  early.kill();
  worker.send('are you there');
  assert.deepEqual((await once(worker, 'message'))[0], 'here');
  taken.inFlightRecord?.close();
});

test('an_early_worker_that_died_is_not_taken', async (context) => {
  const { early, worker } = await forkEarly(context, 'process.exit(1)');
  await once(worker.process, 'close');
  assert.equal(early.take(), undefined);
});

test('an_early_worker_that_nobody_takes_can_be_ended', async (context) => {
  const { early, worker } = await forkEarly(context, greet);
  early.kill();
  await once(worker.process, 'close');
  assert.equal(early.take(), undefined);
});
