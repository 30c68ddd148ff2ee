import assert from 'node:assert/strict';
import test from 'node:test';
import { type PrimaryProcess, startPrimaryProcess, until } from '../fixtures/primary-harness.ts';

/** Makes every worker load its model. */
async function loadAll(primary: PrimaryProcess): Promise<number[]> {
  await primary.serving();
  const seen = await until(async () => {
    await primary.whoAnswers('/load');
    const health = await primary.health();
    return health.workers.every(({ ready }) => ready) && health;
  }, 'all workers are ready');
  return primary.pids(seen);
}

test('HUP replaces the workers one by one with the new configuration, and no request fails', async (t) => {
  const primary = await startPrimaryProcess(t);
  const before = await loadAll(primary);
  primary.configure({ check: { deadlineMs: 4321 }, server: { port: 1, host: '127.0.0.1' } });
  primary.child.kill('SIGHUP');
  const isLoading = { yes: true };
  let fewestServing = Infinity;
  const load = Array.from({ length: 4 }, async () => {
    while (isLoading.yes) await primary.whoAnswers('/?ms=20');
  });
  const after = await until(async () => {
    const health = await primary.health();
    fewestServing = Math.min(fewestServing, health.workers.filter(({ serving }) => serving).length);
    return primary.log.includes('rolling restart complete') && health;
  }, 'the rolling restart is complete');
  isLoading.yes = false;
  await Promise.all(load);
  assert.equal(fewestServing, 2, 'the next worker serves before the old one drains');
  assert.ok(after.workers.every(({ ready, restarts }) => ready && restarts === 1));
  assert.deepEqual(
    before.filter((pid) => primary.pids(after).includes(pid)),
    [],
  );
  const { deadlineMs, warm } = await primary.whoAnswers();
  assert.deepEqual({ deadlineMs, warm }, { deadlineMs: 4321, warm: ['quality'] });
  assert.equal(await primary.metric('image_check_worker_restarts_total', { reason: 'reload' }), 2);
  const retired = (await primary.metric('image_check_http_requests_total')) ?? 0;
  assert.ok(retired > 2, 'what the old workers counted is kept');
});

test('HUP to a configuration whose models fail stops, and the old workers stay', async (t) => {
  const primary = await startPrimaryProcess(t);
  const before = await loadAll(primary);
  primary.configure({ models: { dir: 'fail-to-load' } });
  primary.child.kill('SIGHUP');
  await until(() => primary.log.includes('rolling restart stopped'), 'the rolling restart stops');
  assert.match(primary.log, /"failure":"model quality failed: golden images"/);
  assert.deepEqual(primary.pids(await primary.serving()), before);
  assert.equal(await primary.metric('image_check_worker_restarts_total', { reason: 'reload' }), 0);
});

test('HUP to a configuration whose workers can not start stops, and a later crash comes back with the old one', async (t) => {
  const primary = await startPrimaryProcess(t);
  const before = primary.pids(await primary.serving());
  primary.configure({ models: { dir: 'unable' } });
  primary.child.kill('SIGHUP');
  await until(() => primary.log.includes('rolling restart stopped'), 'the rolling restart stops');
  assert.match(primary.log, /"failure":"no models folder"/);
  assert.deepEqual(primary.pids(await primary.serving()), before);
  const [victim] = before;
  assert.ok(victim !== undefined);
  process.kill(victim, 'SIGKILL');
  await until(async () => !primary.pids(await primary.serving()).includes(victim), 'another worker is in its place');
});

test('HUP with a configuration that does not fit keeps everything', async (t) => {
  const primary = await startPrimaryProcess(t);
  const before = primary.pids(await primary.serving());
  primary.configure({ workers: -1 });
  primary.child.kill('SIGHUP');
  await until(() => primary.log.includes('configuration not reloaded'), 'it is refused');
  assert.deepEqual(primary.pids(await primary.serving()), before);
});

test('TERM during a rolling restart drains all workers', async (t) => {
  const primary = await startPrimaryProcess(t);
  await primary.serving();
  primary.child.kill('SIGHUP');
  await until(() => primary.log.includes('rolling restart begins'), 'it begins');
  primary.child.kill('SIGTERM');
  assert.deepEqual(await primary.exited, { code: 0, signal: null });
});
