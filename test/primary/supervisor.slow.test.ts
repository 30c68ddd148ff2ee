import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import { ask, startPrimaryProcess } from '../fixtures/primary-harness.ts';
import { isAlive } from '../fixtures/process-life.ts';
import { waitFor } from '../fixtures/wait-for.ts';

test('all_workers_serve_none_is_ready_each_has_its_own_slot', async (t) => {
  const primary = await startPrimaryProcess(t);
  const { status, workers } = await primary.serving();
  assert.equal(status, 'ready');
  assert.deepEqual(
    workers.map(({ slot, stage, ready, restarts }) => ({ slot, stage, ready, restarts })),
    [
      { slot: 0, stage: 'listening', ready: false, restarts: 0 },
      { slot: 1, stage: 'listening', ready: false, restarts: 0 },
    ],
  );
  const answers = [await primary.whoAnswers(), await primary.whoAnswers()];
  assert.deepEqual(answers.map(({ slot }) => slot).sort(), [0, 1], 'requests one after the other reach both workers');
  await primary.whoAnswers('/load');
  await waitFor(async () => (await primary.health()).workers.some(({ ready }) => ready), 'a worker is ready');
  assert.equal(await primary.metric('image_check_worker_ready'), 1);
});

test('workers_are_told_their_role_and_to_use_one_thread_for_TensorFlow', async (t) => {
  const primary = await startPrimaryProcess(t, { workerCount: 1 });
  const { environment } = await primary.whoAnswers();
  assert.equal(environment['IMAGE_CHECK_ROLE'], 'worker');
  assert.equal(environment['TF_NUM_INTRAOP_THREADS'], '1');
  assert.equal(environment['TF_NUM_INTEROP_THREADS'], '1');
  assert.equal(environment['OMP_NUM_THREADS'], '1');
  assert.equal(environment['TF_CPP_MIN_LOG_LEVEL'], process.env['TF_CPP_MIN_LOG_LEVEL'] ?? '2');
  assert.equal(environment['MALLOC_ARENA_MAX'], process.env['MALLOC_ARENA_MAX'] ?? '1');
});

test('kill_9_is_respawned_only_its_own_connections_are_reset_no_total_falls', async (t) => {
  const primary = await startPrimaryProcess(t);
  const before = await primary.serving();
  await Promise.all(Array.from({ length: 10 }, () => primary.whoAnswers()));
  const total = 'image_check_http_requests_total';
  await waitFor(async () => (await primary.metric(total)) === 10, 'all requests are counted');
  const cpuSeconds = (await primary.metric('process_cpu_seconds_total', { worker: '0' })) ?? NaN;

  const slow = Array.from({ length: 8 }, () => primary.whoAnswers('/?ms=1500'));
  await waitFor(
    async () => (await primary.health()).workers.every(({ inFlight }) => inFlight === 4),
    'four in each worker',
  );
  const [victim] = primary.pids(before);
  assert.ok(victim !== undefined);
  process.kill(victim, 'SIGKILL');
  const [left, right] = await Promise.all([Promise.allSettled(slow), whileGone(primary, victim)]);

  const outcomes = left.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.pid : 'reset'));
  assert.equal(outcomes.filter((outcome) => outcome === 'reset').length, 4);
  assert.equal(outcomes.filter((outcome) => outcome === victim).length, 0);
  assert.deepEqual(right, [], 'requests that come meanwhile are answered');
  const after = await primary.serving();
  assert.deepEqual(
    after.workers.map(({ restarts }) => restarts),
    [1, 0],
  );
  assert.equal(after.workers[0]?.ready, false, 'it starts cold');
  assert.equal(await primary.metric('image_check_worker_restarts_total', { reason: 'crash' }), 1);
  await waitFor(async () => ((await primary.metric(total)) ?? 0) >= 14, 'what the dead worker counted is still there');
  assert.ok(((await primary.metric('process_cpu_seconds_total', { worker: '0' })) ?? NaN) >= cpuSeconds);
});

/** Sends requests until the slot has another worker; lists what failed. */
async function whileGone(primary: Awaited<ReturnType<typeof startPrimaryProcess>>, victim: number): Promise<unknown[]> {
  const failures: unknown[] = [];
  await waitFor(async () => {
    await primary.whoAnswers().catch((error: unknown) => failures.push(error));
    return (await primary.health()).workers.every(({ pid, serving }) => serving && pid !== victim);
  }, 'the worker is back');
  return failures;
}

test('a_frozen_worker_is_replaced_at_the_heartbeat_timeout_and_every_new_connection_is_answered', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { supervisor: { heartbeatTimeoutMs: 1500 } } });
  const [frozen] = primary.pids(await primary.serving());
  assert.ok(frozen !== undefined);
  process.kill(frozen, 'SIGSTOP');
  const answers = await Promise.all(Array.from({ length: 20 }, () => primary.whoAnswers()));
  assert.ok(
    answers.every(({ pid }) => pid !== frozen),
    'what the frozen worker had been given went elsewhere',
  );
  assert.equal(isAlive(frozen), false);
  await primary.serving();
  assert.equal(await primary.metric('image_check_worker_restarts_total', { reason: 'heartbeat' }), 1);
});

test('a_primary_that_was_stopped_for_a_while_kills_no_worker', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { supervisor: { heartbeatTimeoutMs: 600 } } });
  const before = primary.pids(await primary.serving());
  // Well above the heartbeat timeout; a stopped process has no other sign to wait for.
  primary.child.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  primary.child.kill('SIGCONT');
  await primary.whoAnswers();
  const seen = await waitFor(async () => {
    const { workers } = await primary.health();
    return workers.every(({ heartbeatAgeMs }) => (heartbeatAgeMs ?? Infinity) < 200) && primary.serving();
  }, 'heartbeats are fresh');
  assert.deepEqual(primary.pids(seen), before);
});

test('a_crash_loop_backs_off_is_told_by_health_and_ends_with_69', async (t) => {
  const restartLimits = { baseMs: 100, maxMs: 400, stableMs: 5000, maxDeaths: 4 };
  const primary = await startPrimaryProcess(t, { config: { models: { dir: 'crash' } }, restartLimits });
  const reasons = new Set<string | undefined>();
  const statuses = new Set<number>();
  let isOver = false;
  const ended = primary.exited.finally(() => (isOver = true));
  await waitFor(async () => {
    const { workers } = await primary.health().catch(() => ({ workers: [] }));
    for (const { reason, stage } of workers) if (stage === 'exited') reasons.add(reason);
    await ask(primary.opsPort, '/readyz').then(
      ({ status }) => statuses.add(status),
      () => undefined,
    );
    return isOver;
  }, 'the primary gives up');
  assert.deepEqual(await ended, { code: 69, signal: null });
  assert.ok(reasons.has('crash: exit code 3'), [...reasons].join());
  assert.deepEqual([...statuses], [503], 'the ops port answers until the end');
  assert.match(primary.log, /"msg":"all slots are down: crash: exit code 3"/);
  assert.equal(primary.log.match(/worker forked/g)?.length, 8);
});

test('a_worker_that_does_not_listen_in_time_is_killed_and_counted', async (t) => {
  const primary = await startPrimaryProcess(t, {
    config: { supervisor: { bootTimeoutMs: 1000 }, models: { dir: 'never-listen' } },
    workerCount: 1,
    restartLimits: { baseMs: 10, maxMs: 10, stableMs: 5000, maxDeaths: 2 },
  });
  await waitFor(
    async () => (await primary.metric('image_check_worker_restarts_total', { reason: 'boot' })) === 1,
    'a restart',
  );
  assert.deepEqual(await primary.exited, { code: 69, signal: null });
  assert.match(primary.log, /all slots are down: boot timeout/);
});

test('a_service_whose_workers_can_not_start_ends_with_their_exit_code_and_reason', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { models: { dir: 'unable' } } });
  assert.deepEqual(await primary.exited, { code: 78, signal: null });
  assert.equal(primary.log.match(/"msg":"no models folder"/g)?.length, 1);
});

const hasPrlimit = spawnSync('prlimit', ['--version']).error === undefined;

test('a_system_that_refuses_to_fork_is_asked_again', { skip: !hasPrlimit && 'prlimit is not there' }, async (t) => {
  const primary = await startPrimaryProcess(t, { workerCount: 1 });
  const [pid] = primary.pids(await primary.serving(1));
  assert.ok(pid !== undefined);
  const limitFiles = (count: number) => {
    const { status } = spawnSync('prlimit', ['--pid', String(primary.child.pid), `--nofile=${String(count)}:4096`]);
    assert.equal(status, 0);
  };
  limitFiles(readdirSync(`/proc/${String(primary.child.pid)}/fd`).length - 1);
  process.kill(pid, 'SIGKILL');
  await waitFor(() => primary.log.includes('could not be forked: '), 'a fork has failed');
  limitFiles(1024);
  await primary.serving(1);
});
