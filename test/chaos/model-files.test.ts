import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { assertUnharmed, describeLoad, startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

interface Damage {
  readonly name: string;
  readonly harm: (file: string, whole: Buffer) => void;
  readonly reason: RegExp;
}

const damages: readonly Damage[] = [
  {
    name: 'deleted',
    harm: (file) => {
      rmSync(file);
    },
    reason: /weights\.bin: can't be read: ENOENT/,
  },
  {
    name: 'truncated',
    harm: (file, whole) => {
      writeFileSync(file, whole.subarray(0, whole.length / 2));
    },
    reason: /weights\.bin: its hash is/,
  },
  {
    name: 'overwritten',
    harm: (file, whole) => {
      writeFileSync(file, Buffer.from(whole).fill(1, 4, 8));
    },
    reason: /weights\.bin: its hash is/,
  },
];

function listStoppedRollOuts(service: Service): string[] {
  return service
    .stderr()
    .split('\n')
    .filter((line) => line.includes('rolling restart stopped'));
}

/** Starts the service on a model of its own, whose weights are there to be damaged. */
async function startVulnerable(context: test.TestContext): Promise<{ service: Service; file: string; whole: Buffer }> {
  const dir = makeTempDir(context);
  const file = path.join(await writeColourModel(dir, { name: 'quality' }), 'weights.bin');
  const service = await startService(context, { args: ['--models', dir, '--set', 'models.watch=false'] });
  return { service, file, whole: readFileSync(file) };
}

test('a_model_file_that_is_damaged_harms_no_upload_and_no_worker_that_has_it', async (context) => {
  const { service, file, whole } = await startVulnerable(context);
  const photo = await makePhoto();
  const before = (await warmWorkers(service, photo)).map(({ pid }) => pid);
  const pids = async (): Promise<number[]> => (await service.health()).workers.map(({ pid }) => pid);

  for (const { name, harm, reason } of damages) {
    await context.test(name, async (subtest) => {
      const load = startRunningLoad(subtest, service.url, photo, { clients: 2 });
      const countBefore = listStoppedRollOuts(service).length;
      harm(file, whole);
      const countAtHarm = load.outcomes.length;
      await waitFor(() => load.outcomes.length > countAtHarm + 50);
      service.process.kill('SIGHUP');
      await waitFor(() => listStoppedRollOuts(service).length > countBefore);
      assert.match(listStoppedRollOuts(service).at(-1) ?? '', reason);
      assert.deepEqual(await pids(), before);
      const report = await load.stop();
      console.log(`${name}: ${describeLoad(report)}`);
      assertUnharmed(report);
    });
  }
});

test('a_new_worker_says_why_it_can_not_load_a_damaged_model_until_the_file_is_whole_again', async (context) => {
  const { service, file, whole } = await startVulnerable(context);
  const photo = await makePhoto();
  const [victim, other] = await warmWorkers(service, photo);
  assert.ok(victim && other);

  const load = startRunningLoad(context, service.url, photo, { clients: 2 });
  await waitFor(() => load.outcomes.length > 20);
  writeFileSync(file, whole.subarray(0, whole.length / 2));
  process.kill(victim.pid, 'SIGKILL');
  await waitFor(async () => {
    const reborn = (await service.health()).workers[victim.slot];
    return reborn?.pid !== victim.pid && reborn?.stage === 'listening';
  });
  // The clients keep their connections to the other worker, so this one is the first that the new worker sees.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  context.after(() => {
    agent.destroy();
  });
  const first = await postRaw(service.url, photo, { agent });
  assert.deepEqual([first.status, first.body.code], [503, 'ERR_MODEL_UNAVAILABLE']);
  assert.match(first.body.detail ?? '', /weights\.bin: its hash is/);
  await waitFor(async () => (await service.health()).workers[victim.slot]?.models['quality']?.state === 'failed');
  const { status, workers } = await service.health();
  const reborn = workers[victim.slot];
  assert.match(reborn?.models['quality']?.reason ?? '', /weights\.bin: its hash is/);
  assert.deepEqual([reborn?.serving, workers[other.slot]?.serving, status], [false, true, 'ready']);
  // A connection to a worker that does not serve is not kept.
  for (let index = 0; index < 6; index += 1) {
    const answer = await postRaw(service.url, photo, { agent });
    assert.deepEqual([answer.status, answer.body.worker?.pid], [200, other.pid]);
  }

  writeFileSync(file, whole);
  await waitFor(async () => (await service.health()).workers[victim.slot]?.serving === true);
  const healed = await postRaw(service.url, photo);
  assert.deepEqual([healed.status, healed.body.worker?.pid], [200, reborn?.pid]);
  const report = await load.stop();
  console.log(describeLoad(report));
  assert.ok(report.reset.every(({ keptBy }) => keptBy?.pid === victim.pid));
  assertUnharmed({ ...report, reset: [] });
});
