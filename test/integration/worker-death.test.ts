import assert from 'node:assert/strict';
import test from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { isAlive } from '../fixtures/process-life.ts';
import { assertUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { startService } from '../fixtures/service.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

test('kill_9_resets_only_that_workers_connections_and_it_is_respawned', async (context) => {
  // Enough for a cold model to load on a busy machine.
  const service = await startService(context, { args: ['--set', 'check.deadlineMs=60000'] });
  const photo = await makePhoto();
  const [victim] = await warmWorkers(service, photo);
  assert.ok(victim);
  const totals = (): Promise<number[]> =>
    Promise.all([
      readTotal(service.opsUrl, 'image_check_http_requests_total'),
      readTotal(service.opsUrl, 'image_check_checks_total'),
      readTotal(service.opsUrl, 'image_check_request_duration_seconds_count'),
      readTotal(service.opsUrl, 'process_cpu_seconds_total', 'worker="0"'),
    ]);
  let last = await totals();
  const assertNoneFell = async (): Promise<void> => {
    const next = await totals();
    for (const [index, total] of next.entries()) {
      assert.ok(total >= (last[index] ?? 0), `${String(last)} → ${String(next)}`);
    }
    last = next;
  };

  const load = startRunningLoad(context, service.url, photo);
  await waitFor(() => load.outcomes.length > 12);
  process.kill(victim.pid, 'SIGKILL');
  await waitFor(async () => {
    await assertNoneFell();
    const back = (await service.health()).workers[0];
    return back?.pid !== victim.pid && back?.stage === 'listening';
  });
  const reborn = (await service.health()).workers[0];
  assert.equal(reborn?.restarts, 1);
  await waitFor(async () => {
    await assertNoneFell();
    const { status, body } = await postRaw(service.url, photo);
    assert.deepEqual([status, body.code, body.detail], [200, undefined, undefined]);
    return ((await service.health()).workers[0]?.checked ?? 0) > 0;
  });
  const report = await load.stop();
  assertUnharmed({ ...report, reset: [] });
  for (const { keptBy } of report.reset) assert.equal(keptBy?.slot, victim.slot, 'it was the dead worker’s');
  assert.ok(report.reset.length <= 6);
  assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total', 'reason="crash"'), 1);
});

test('workers_are_gone_when_their_primary_is_killed', async (context) => {
  const service = await startService(context);
  const { workers } = await service.health();
  service.process.kill('SIGKILL');
  await waitFor(() => workers.every(({ pid }) => !isAlive(pid)), 'the workers are gone', 5000);
});
