import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { ask, startPrimaryProcess } from '../fixtures/primary-harness.ts';
import { isAlive } from '../fixtures/process-life.ts';
import { waitFor } from '../fixtures/wait-for.ts';

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'image-check-pid-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} drains: unready at once, what is in flight is answered, the rest refused, 0`, async (t) => {
    const pidFile = path.join(makeFolder(t), 'image-check.pid');
    const primary = await startPrimaryProcess(t, { pidFile });
    const pids = primary.pids(await primary.serving());
    assert.equal(readFileSync(pidFile, 'utf8'), `${String(primary.child.pid)}\n`);
    const inFlight = Array.from({ length: 6 }, () => primary.whoAnswers('/?ms=1500'));
    await waitFor(async () => (await primary.health()).workers.every((worker) => worker.inFlight === 3), 'in flight');
    primary.child.kill(signal);
    await waitFor(async () => (await primary.health()).status === 'draining', 'the primary drains');
    assert.equal((await ask(primary.opsPort, '/readyz')).status, 503);
    assert.equal((await ask(primary.opsPort, '/livez')).status, 200);
    await assert.rejects(primary.whoAnswers(), { code: 'ECONNREFUSED' });
    assert.equal((await Promise.all(inFlight)).length, 6);
    assert.deepEqual(await primary.exited, { code: 0, signal: null });
    assert.equal(existsSync(pidFile), false);
    assert.deepEqual(pids.filter(isAlive), []);
  });
}

test('a_drain_before_any_worker_listens_ends_at_once', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { models: { dir: 'never-listen' } } });
  primary.child.kill('SIGTERM');
  assert.deepEqual(await primary.exited, { code: 0, signal: null });
});

test('workers_that_do_not_finish_within_the_grace_period_are_killed', async (t) => {
  const primary = await startPrimaryProcess(t, {
    config: { shutdown: { graceMs: 500 }, models: { dir: 'never-drain' } },
  });
  const pids = primary.pids(await primary.serving());
  primary.child.kill('SIGTERM');
  assert.deepEqual(await primary.exited, { code: 0, signal: null });
  assert.deepEqual(pids.filter(isAlive), []);
});

test('a_second_signal_does_not_wait_for_what_is_in_flight', async (t) => {
  const primary = await startPrimaryProcess(t);
  const pids = primary.pids(await primary.serving());
  const inFlight = primary.whoAnswers('/?ms=60000');
  inFlight.catch(() => undefined);
  await waitFor(async () => (await primary.health()).workers.some((worker) => worker.inFlight === 1), 'in flight');
  primary.child.kill('SIGTERM');
  await waitFor(async () => (await primary.health()).status === 'draining', 'the primary drains');
  await waitFor(() => {
    // Sent again and again, as one that follows closely counts as the same.
    primary.child.kill('SIGTERM');
    return primary.child.exitCode !== null;
  }, 'the primary has ended');
  assert.deepEqual(await primary.exited, { code: 1, signal: null });
  await assert.rejects(inFlight);
  assert.deepEqual(pids.filter(isAlive), []);
});

test('workers_do_not_outlive_a_primary_that_was_killed', async (t) => {
  const primary = await startPrimaryProcess(t);
  const pids = primary.pids(await primary.serving());
  primary.child.kill('SIGKILL');
  await waitFor(() => !pids.some(isAlive), 'the workers are gone');
});
