import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { type ColourModelOptions, writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto, makePlain } from '../fixtures/pictures.ts';
import { endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { type Health, type Service, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { type Answer, postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** White has a mean of 1 in every colour, so that every score is the gain. */
const white = await makePlain(255);

/** Clients that never pause would take the CPU from the workers that are to take over. */
const gentle = { clients: 4, pauseMs: 25 };

interface Reloading {
  readonly service: Service;
  readonly pids: () => Promise<number[]>;
  readonly modelsDir: string;
  /** Writes a version of the model `quality`. */
  readonly write: (options?: ColourModelOptions) => Promise<string>;
}

async function startReloading(context: test.TestContext, ...args: readonly string[]): Promise<Reloading> {
  const modelsDir = makeTempDir(context);
  const write = (options: ColourModelOptions = {}): Promise<string> =>
    writeColourModel(modelsDir, { name: 'quality', ...options });
  await write();
  const service = await startService(context, { args: ['--models', modelsDir, ...args] });
  return { service, modelsDir, pids: async () => (await service.health()).workers.map(({ pid }) => pid), write };
}

function versionOf({ body }: Answer): string | undefined {
  return body.images?.[0]?.checks?.[0]?.version;
}

function scoreOf({ body }: Answer): number {
  return body.images?.[0]?.checks?.[0]?.labels[0]?.score ?? Number.NaN;
}

async function waitForRollOut({ health }: Service, holds: (health: Health) => boolean): Promise<Health> {
  let seen: Health | undefined;
  await waitFor(
    async () => {
      seen = await health();
      return seen.rollingRestart !== undefined && seen.rollingRestart.state !== 'running' && holds(seen);
    },
    'the rolling restart ends',
    120_000,
  );
  assert.ok(seen);
  return seen;
}

function runsVersion(version: string, { workers, rollingRestart }: Health): boolean {
  const isTaken = workers.every(({ ready, models }) => ready && models['quality']?.version === version);
  return isTaken && rollingRestart?.state === 'complete';
}

test('a_new_version_and_changed_weights_are_taken_up_and_no_request_fails', async (context) => {
  const { service, pids, write } = await startReloading(context);
  const load = startRunningLoad(context, service.url, await makePhoto(), gentle);
  await waitFor(async () => (await service.health()).workers.every(({ ready }) => ready));
  const first = await pids();

  await write({ version: '2' });
  const second = await waitForRollOut(service, (health) => runsVersion('2', health));
  assert.deepEqual(
    second.workers.filter(({ pid }) => first.includes(pid)),
    [],
  );
  assert.ok(Math.abs(scoreOf(await postRaw(service.url, white)) - 1) < 0.01);

  await write({ version: '2', gain: 0.5 });
  await waitForRollOut(
    service,
    (health) => runsVersion('2', health) && health.workers.every(({ restarts }) => restarts === 2),
  );
  assert.ok(Math.abs(scoreOf(await postRaw(service.url, white)) - 0.5) < 0.01);
  const answers = await endUnharmed(load);
  assert.deepEqual([...new Set(answers.map(versionOf))].sort(), ['1', '2']);
  assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total', 'reason="reload"'), 4);
});

test('a_broken_version_is_refused_with_the_reason_and_taken_up_once_it_is_repaired', async (context) => {
  const { service, pids, write } = await startReloading(context);
  const before = await pids();
  const refused = (reason: RegExp) =>
    waitForRollOut(service, ({ rollingRestart }) => reason.test(rollingRestart?.reason ?? ''));
  // The workers are cold still: what takes over from them has to prove itself all the same.
  await write({ version: '2', goldenScores: [0.3, 0, 0] });
  await refused(/^slot 0: model quality failed: .*red\.png: scores differ by 0\.7/);
  const load = startRunningLoad(context, service.url, await makePhoto(), gentle);
  await waitFor(async () => (await service.health()).workers.every(({ ready }) => ready));

  const files = { 'model.json': `sha256-${'A'.repeat(43)}=` };
  const dir = await write({ version: '2', manifest: { files } });
  await refused(/model\.json: its hash is .*, the manifest says sha256-A/);
  await write({ version: '2' });
  truncateSync(path.join(dir, 'weights.bin'), 10);
  const { status, rollingRestart, workers } = await refused(/weights\.bin: its hash is/);
  assert.equal(status, 'ready');
  assert.equal(rollingRestart?.state, 'stopped');
  assert.match(service.stderr(), /rolling restart stopped, the old workers stay/);
  assert.deepEqual(
    workers.map(({ pid, restarts, models }) => ({ pid, restarts, version: models['quality']?.version })),
    before.map((pid) => ({ pid, restarts: 0, version: '1' })),
  );
  const answers = await endUnharmed(load);
  assert.deepEqual([...new Set(answers.map(versionOf))], ['1']);
  // A worker that replaces a dead one must not bring what was refused.
  process.kill(before[0] ?? 0, 'SIGKILL');
  await waitFor(async () => (await service.health()).workers.every(({ serving, pid }) => serving && pid !== before[0]));
  const later = await Promise.all(Array.from({ length: 8 }, () => postRaw(service.url, white)));
  assert.deepEqual(new Set(later.map(versionOf)), new Set(['1']));
  await waitFor(async () => (await service.health()).workers.every(({ ready }) => ready));

  const again = startRunningLoad(context, service.url, await makePhoto(), gentle);
  await write({ version: '2' });
  const after = await waitForRollOut(service, (health) => runsVersion('2', health));
  assert.equal(after.rollingRestart?.reason, undefined);
  await endUnharmed(again);
});

function toManifestFile(modelsDir: string): string {
  return path.join(modelsDir, 'quality', '1', 'manifest.json');
}

function changeManifest(file: string, change: object): void {
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...change }));
}

test('thresholds_change_without_a_new_process_or_a_load_and_broken_ones_change_nothing', async (context) => {
  const { service, pids, modelsDir } = await startReloading(context);
  const file = toManifestFile(modelsDir);
  const load = startRunningLoad(context, service.url, await makePhoto(), gentle);
  await waitFor(async () => (await service.health()).workers.every(({ ready }) => ready));
  const verdicts = async (): Promise<string> =>
    (await Promise.all(Array.from({ length: 6 }, () => postRaw(service.url, white))))
      .map(({ body }) => body.verdict)
      .join();
  const allAre = (verdict: string): string => Array.from({ length: 6 }, () => verdict).join();
  const [before, loads] = [await pids(), await readTotal(service.opsUrl, 'image_check_model_load_seconds_count')];
  assert.equal(await verdicts(), allAre('reject'));

  changeManifest(file, { policy: { red: { review: 0.5 } } });
  await waitFor(async () => (await verdicts()) === allAre('review'));

  const faults = (reason: string) => service.stderr().split(reason).length - 1;
  changeManifest(file, { policy: { mauve: { reject: 0.1 } } });
  await waitFor(() => faults('keeps its thresholds: manifest.json: policy.mauve: is not among') === 2);
  assert.equal(await verdicts(), allAre('review'));
  const repaired = readFileSync(file, 'utf8').replace(/"mauve":\{.*?\}/, '"green":{"reject":0.1}');
  writeFileSync(file, '{"policy":');
  await waitFor(() => faults('keeps its thresholds: manifest.json: Unexpected end of JSON input') === 2);
  assert.equal(await verdicts(), allAre('review'));
  writeFileSync(file, repaired);
  await waitFor(async () => (await verdicts()) === allAre('reject'));

  await endUnharmed(load);
  assert.deepEqual(await pids(), before);
  assert.equal(await readTotal(service.opsUrl, 'image_check_model_load_seconds_count'), loads);
  const { workers, rollingRestart } = await service.health();
  assert.equal(rollingRestart, undefined);
  assert.ok(workers.every(({ ready, restarts }) => ready && restarts === 0));
});

test('a_service_that_is_not_to_watch_takes_up_nothing', async (context) => {
  const args = ['--set', 'models.watch=false', '--workers', '1'];
  const { service, pids, modelsDir, write } = await startReloading(context, ...args);
  assert.equal((await postRaw(service.url, white)).body.verdict, 'reject');
  const before = await pids();
  // Another one that watches the same folder tells when the change could have been seen.
  const other = await startService(context, { args: ['--models', modelsDir, '--workers', '1'] });
  changeManifest(toManifestFile(modelsDir), { policy: {} });
  await waitFor(async () => (await postRaw(other.url, white)).body.verdict === 'accept');
  await write({ version: '2' });
  await waitForRollOut(other, (health) => runsVersion('2', health));
  assert.equal((await postRaw(service.url, white)).body.verdict, 'reject');
  assert.deepEqual(await pids(), before);
  assert.equal((await service.health()).rollingRestart, undefined);
});
