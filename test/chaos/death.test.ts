import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { assertUnharmed, describeLoad, type LoadReport, startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

const clients = 4;

/** Lets one of two workers die under load, and sees what that costs and that the slot comes back. */
async function assertSurvived(
  context: test.TestContext,
  service: Service,
  photo: Buffer,
  kill: (pid: number) => void,
): Promise<{ report: LoadReport; victim: number }> {
  const [victim] = await warmWorkers(service, photo);
  assert.ok(victim);
  const crashes = (): Promise<number> =>
    readTotal(service.opsUrl, 'image_check_worker_restarts_total', 'reason="crash"');
  const crashesBefore = await crashes();

  const load = startRunningLoad(context, service.url, photo, { clients });
  await waitFor(() => load.outcomes.length > 30);
  kill(victim.pid);
  let reborn = victim;
  await waitFor(async () => {
    reborn = (await service.health()).workers[victim.slot] ?? reborn;
    return reborn.pid !== victim.pid && reborn.stage === 'listening';
  });
  assert.equal(reborn.ready, false, 'it starts cold');
  assert.equal(reborn.restarts, victim.restarts + 1);
  await waitFor(async () => {
    const answer = await postRaw(service.url, photo);
    assert.equal(answer.status, 200);
    return answer.body.worker?.pid === reborn.pid;
  });
  const report = await load.stop();
  console.log(describeLoad(report));

  assert.ok(report.reset.length > 0 && report.reset.length <= clients);
  assert.equal(await crashes(), crashesBefore + 1);
  return { report, victim: victim.pid };
}

test('a_dying_worker_costs_its_own_connections_alone_and_its_slot_comes_back_cold', async (context) => {
  const service = await startService(context);
  const photo = await makePhoto();
  for (const signal of ['SIGKILL', 'SIGSEGV', 'SIGABRT'] as const) {
    await context.test(signal, async (subtest) => {
      const { report, victim } = await assertSurvived(subtest, service, photo, (pid) => {
        process.kill(pid, signal);
      });
      for (const { keptBy } of report.reset) assert.equal(keptBy?.pid, victim);
      assertUnharmed({ ...report, reset: [] });
      assert.match(service.stderr(), new RegExp(`"detail":"crash: ${signal}"`));
    });
  }
});

const hasPrlimit = spawnSync('prlimit', ['--version']).error === undefined;

test('a_worker_that_runs_out_of_memory_does_too', { skip: !hasPrlimit && 'prlimit is not there' }, async (context) => {
  const service = await startService(context);
  const { report } = await assertSurvived(context, service, await makePhoto(), (pid) => {
    // Not a page more than it has, nor one in exchange: stands in for a memory cgroup, which only root can make.
    const kilobytes = Number(/^VmSize:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]);
    execFileSync('prlimit', ['--pid', String(pid), `--as=${String(kilobytes * 512)}`]);
    // It lives on what it has for a while, as uploads use memory again: at this Node starts a thread, which needs a stack.
    process.kill(pid, 'SIGUSR1');
  });
  // Until then an upload may have found no room: its client is told so, and takes a new connection.
  for (const { result } of report.failed) assert.ok(result.kind === 'answered' && result.answer.status >= 500);
});
