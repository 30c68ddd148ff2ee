import assert from 'node:assert/strict';
import test from 'node:test';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { createLogger } from '../../src/log.ts';
import { restartLimits, RestartPolicy } from '../../src/primary/supervise/restart-policy.ts';
import { RollingRestart } from '../../src/primary/supervise/rolling-restart.ts';
import { Slot } from '../../src/primary/supervise/slot.ts';
import { type PrimaryProcess, startPrimaryProcess } from '../fixtures/primary-harness.ts';
import { isAlive } from '../fixtures/process-life.ts';
import { waitFor } from '../fixtures/wait-for.ts';

function createSlot(config: Config): Slot {
  return new Slot(0, config, new RestartPolicy(restartLimits), () => assert.fail('nothing is forked here'));
}

/** Makes every worker load its model. */
async function loadAll(primary: PrimaryProcess, count = 2): Promise<number[]> {
  await primary.serving(count);
  const seen = await waitFor(async () => {
    await primary.whoAnswers('/load');
    const health = await primary.health();
    return health.workers.every(({ ready }) => ready) && health;
  }, 'all workers are ready');
  return primary.pids(seen);
}

test('HUP_replaces_the_workers_one_by_one_with_the_new_configuration_and_no_request_fails', async (t) => {
  const primary = await startPrimaryProcess(t);
  const before = await loadAll(primary);
  primary.configure({ check: { deadlineMs: 4321 }, server: { port: 1, host: '127.0.0.1' } });
  assert.equal((await primary.health()).rollingRestart, undefined);
  primary.child.kill('SIGHUP');
  await waitFor(async () => (await primary.health()).rollingRestart?.state === 'running', 'it is under way');
  const isLoading = { yes: true };
  let fewestServing = Infinity;
  const load = Array.from({ length: 4 }, async () => {
    while (isLoading.yes) await primary.whoAnswers('/?ms=20');
  });
  const after = await waitFor(async () => {
    const health = await primary.health();
    fewestServing = Math.min(fewestServing, health.workers.filter(({ serving }) => serving).length);
    return health.rollingRestart?.state === 'complete' && health;
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

test('HUP_to_a_configuration_whose_models_fail_stops_and_the_old_workers_stay', async (t) => {
  const primary = await startPrimaryProcess(t);
  const before = await loadAll(primary);
  primary.configure({ models: { dir: 'fail-to-load' } });
  primary.child.kill('SIGHUP');
  await waitFor(() => primary.log.includes('rolling restart stopped'), 'the rolling restart stops');
  assert.match(primary.log, /"failure":"model quality failed: golden images"/);
  assert.deepEqual(primary.pids(await primary.serving()), before);
  assert.deepEqual((await primary.health()).rollingRestart, {
    state: 'stopped',
    reason: 'slot 0: model quality failed: golden images',
  });
  assert.equal(await primary.metric('image_check_worker_restarts_total', { reason: 'reload' }), 0);
});

test('HUP_to_a_configuration_whose_workers_can_not_start_stops_and_a_later_crash_comes_back_with_the_old_one', async (t) => {
  const primary = await startPrimaryProcess(t);
  const before = primary.pids(await primary.serving());
  primary.configure({ models: { dir: 'unable' } });
  primary.child.kill('SIGHUP');
  await waitFor(() => primary.log.includes('rolling restart stopped'), 'the rolling restart stops');
  assert.match(primary.log, /"failure":"no models folder"/);
  assert.deepEqual(primary.pids(await primary.serving()), before);
  const [victim] = before;
  assert.ok(victim !== undefined);
  process.kill(victim, 'SIGKILL');
  await waitFor(async () => !primary.pids(await primary.serving()).includes(victim), 'another worker is in its place');
});

test('HUP_with_a_configuration_that_does_not_fit_keeps_everything', async (t) => {
  const primary = await startPrimaryProcess(t);
  const before = primary.pids(await primary.serving());
  primary.configure({ workers: -1 });
  primary.child.kill('SIGHUP');
  await waitFor(() => primary.log.includes('configuration not reloaded'), 'it is refused');
  assert.match(
    (await primary.health()).rollingRestart?.reason ?? '',
    /^configuration not reloaded, everything stays: the log says why$/,
  );
  assert.deepEqual(primary.pids(await primary.serving()), before);
});

test('the_reason_that_health_gives_for_a_stopped_rolling_restart_names_no_path', async () => {
  const dir = '/srv/my models';
  const config = configSchema.parse({ models: { dir } });
  const stop = async (options: { fault?: string; failure?: string }): Promise<string | undefined> => {
    const rollingRestart = new RollingRestart({
      supervisor: {
        slots: [createSlot(config)],
        replace: () => Promise.resolve(options.failure),
      },
      reloadConfig: () => {
        if (options.fault !== undefined) throw new Error(options.fault);
        return config;
      },
      onReloaded: () => undefined,
      log: createLogger({ level: 'silent', format: 'json' }, {}),
    });
    rollingRestart.request('configuration');
    await waitFor(() => rollingRestart.status?.state === 'stopped', 'it stops');
    return rollingRestart.status?.reason;
  };
  const fault = 'configuration /etc/my service/site.yaml: must be a mapping';
  assert.equal(await stop({ fault }), 'configuration not reloaded, everything stays: the log says why');
  assert.equal(await stop({ failure: `models.dir ${dir} is no folder` }), 'slot 0: models.dir my models is no folder');
});

test('TERM_during_a_rolling_restart_drains_all_workers', async (t) => {
  const primary = await startPrimaryProcess(t);
  await primary.serving();
  primary.child.kill('SIGHUP');
  await waitFor(() => primary.log.includes('rolling restart begins'), 'it begins');
  primary.child.kill('SIGTERM');
  assert.deepEqual(await primary.exited, { code: 0, signal: null });
});

test('a_worker_that_serves_but_is_refused_never_gets_a_request', async (t) => {
  // The heartbeat is what tells of the refusal: until then the worker listens and serves.
  const primary = await startPrimaryProcess(t, { config: { supervisor: { heartbeatMs: 500 } }, workerCount: 1 });
  const [before] = await loadAll(primary, 1);
  primary.configure({ models: { dir: 'fail-but-serve' } });
  primary.child.kill('SIGHUP');
  const answered = new Set<number>();
  await waitFor(async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => primary.whoAnswers('/?ms=20')));
    for (const { pid } of answers) answered.add(pid);
    return primary.log.includes('rolling restart stopped');
  }, 'the rolling restart stops');
  assert.match(primary.log, /"failure":"model quality failed: golden images"/);
  assert.deepEqual([...answered], [before]);
});

test('HUP_waits_for_a_slot_that_is_changing_already_and_leaves_no_worker_behind', async (t) => {
  const primary = await startPrimaryProcess(t, {
    config: { supervisor: { maxRequests: 1 } },
    workerCount: 1,
    restartLimits: { ...restartLimits, stableMs: 200 },
  });
  await primary.serving(1);
  await primary.whoAnswers();
  await waitFor(() => primary.log.includes('worker has reached a limit'), 'it is recycled');
  primary.configure({ check: { deadlineMs: 4321 } });
  primary.child.kill('SIGHUP');
  const { workers } = await waitFor(async () => {
    const health = await primary.health();
    return health.rollingRestart?.state === 'complete' && health;
  }, 'the rolling restart is complete');
  assert.deepEqual(
    workers.map(({ restarts }) => restarts),
    [2],
  );
  assert.equal((await primary.whoAnswers()).deadlineMs, 4321);
  const forked = [...primary.log.matchAll(/"workerPid":(\d+),"msg":"worker forked"/g)].map(([, pid]) => Number(pid));
  assert.equal(forked.length, 3);
  assert.deepEqual(
    forked.map((pid) => isAlive(pid)),
    [false, false, true],
  );
});

test('a_worker_that_hangs_while_its_candidate_fails_is_replaced_by_another', async (t) => {
  const primary = await startPrimaryProcess(t, { workerCount: 1 });
  const [stuck] = await loadAll(primary, 1);
  primary.configure({ models: { dir: 'fail-to-load' } });
  primary.child.kill('SIGHUP');
  await waitFor(async () => (await primary.health()).rollingRestart?.state === 'running', 'it is under way');
  await primary.whoAnswers('/stick');
  const [after] = await waitFor(async () => {
    const pids = primary.pids(await primary.serving(1));
    return pids[0] !== stuck && pids;
  }, 'another worker serves');
  assert.ok(after);
  assert.equal((await primary.health()).rollingRestart?.state, 'stopped');
  assert.equal(await primary.metric('image_check_worker_restarts_total', { reason: 'harakiri' }), 1);
});

test('what_is_asked_for_while_one_runs_follows_once_with_the_configuration_if_anybody_wants_it', async () => {
  const config = configSchema.parse({});
  const changed = configSchema.parse({ check: { deadlineMs: 4321 } });
  const slots = [createSlot(config)];
  const deadlines: number[] = [];
  const ends: ((failure?: string) => void)[] = [];
  const rollingRestart = new RollingRestart({
    supervisor: {
      slots,
      replace: (_slot, { check }) => {
        deadlines.push(check.deadlineMs);
        return new Promise((resolve) => ends.push(resolve));
      },
    },
    reloadConfig: () => changed,
    onReloaded: () => undefined,
    log: createLogger({ level: 'silent', format: 'json' }, {}),
  });
  const status = () => rollingRestart.status;
  assert.equal(status(), undefined);
  rollingRestart.request('models');
  for (const scope of ['models', 'configuration', 'models'] as const) rollingRestart.request(scope);
  assert.deepEqual(deadlines, [config.check.deadlineMs]);
  ends[0]?.('it is broken');
  await waitFor(() => deadlines.length === 2, 'the next one begins although the first was stopped');
  assert.equal(deadlines[1], 4321);
  assert.deepEqual(status(), { state: 'running' });
  ends[1]?.();
  await waitFor(() => status()?.state === 'complete', 'it is complete');
  rollingRestart.request('models');
  assert.equal(deadlines.length, 3);
  ends[2]?.('it is broken');
  await waitFor(() => status()?.state === 'stopped', 'it is stopped');
  assert.equal(status()?.reason, 'slot 0: it is broken');
});
