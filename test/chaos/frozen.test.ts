import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makePhoto } from '../fixtures/pictures.ts';
import { isAlive } from '../fixtures/process-life.ts';
import { assertUnharmed, describeLoad, endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

const heartbeatTimeoutMs = 1500;
/** For the kill, the way to another worker and an upload there, on a busy machine. */
const slackMs = 2500;

function startNervous(context: test.TestContext): Promise<Service> {
  const settings = ['heartbeatMs=200', `heartbeatTimeoutMs=${String(heartbeatTimeoutMs)}`];
  return startService(context, { args: settings.flatMap((setting) => ['--set', `supervisor.${setting}`]) });
}

/** Stops processes; they go on, so that they can end, when the test is over. */
function freeze(context: test.TestContext, pids: readonly number[]): void {
  context.after(() => {
    resume(pids);
  });
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
}

function resume(pids: readonly number[]): void {
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGCONT');
}

test('a_frozen_worker_is_replaced_and_nobody_waits_longer_than_its_heartbeat_may', async (context) => {
  const service = await startNervous(context);
  const photo = await makePhoto();
  const [victim] = await warmWorkers(service, photo);
  assert.ok(victim);

  const kept = startRunningLoad(context, service.url, photo, { clients: 4 });
  await waitFor(() => kept.outcomes.length > 20);
  freeze(context, [victim.pid]);
  const newcomers = startRunningLoad(context, service.url, photo, { clients: 8, keepsConnections: false });
  await waitFor(async () => {
    const reborn = (await service.health()).workers[victim.slot];
    return reborn?.pid !== victim.pid && reborn?.serving === true && !isAlive(victim.pid);
  });
  const [keptReport, newReport] = await Promise.all([kept.stop(), newcomers.stop()]);
  console.log(`kept connections: ${describeLoad(keptReport)}`);
  console.log(`new connections: ${describeLoad(newReport)}`);

  assert.ok(
    newReport.outcomes.some(({ tookMs }) => tookMs > heartbeatTimeoutMs / 2),
    'some were with the frozen one',
  );
  assertUnharmed(newReport);
  assert.deepEqual(keptReport.failed, []);
  assert.ok(keptReport.reset.length > 0 && keptReport.reset.every(({ keptBy }) => keptBy?.pid === victim.pid));
  for (const { tookMs } of [...keptReport.outcomes, ...newReport.outcomes]) {
    assert.ok(tookMs < heartbeatTimeoutMs + slackMs, `${tookMs.toFixed(0)} ms`);
  }
  assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total', 'reason="heartbeat"'), 1);
  assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total'), 1);
});

test('a_service_that_was_frozen_as_a_whole_goes_on_with_the_same_workers', async (context) => {
  const service = await startNervous(context);
  const photo = await makePhoto();
  const before = (await warmWorkers(service, photo)).map(({ pid }) => pid);
  const { primary } = await service.health();

  const load = startRunningLoad(context, service.url, photo, { clients: 4 });
  await waitFor(() => load.outcomes.length > 20);
  const all = [primary.pid, ...before];
  freeze(context, all);
  const newcomer = postRaw(service.url, photo);
  await delay(2 * heartbeatTimeoutMs);
  resume(all);
  assert.equal((await newcomer).status, 200);
  const countAtResume = load.outcomes.length;
  await waitFor(() => load.outcomes.length > countAtResume + 20);
  await endUnharmed(load);
  assert.deepEqual(
    (await service.health()).workers.map(({ pid }) => pid),
    before,
  );
  assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total'), 0);
});
