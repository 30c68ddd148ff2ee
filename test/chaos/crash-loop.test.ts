import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { isAlive } from '../fixtures/process-life.ts';
import { assertUnharmed, describeLoad, startRunningLoad } from '../fixtures/running-load.ts';
import { type Health, type Service, startService } from '../fixtures/service.ts';
import { postRaw } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

/** Kills every worker of the slots, those that live and each further one as soon as it is forked. */
function hunt(context: test.TestContext, service: Service, slots: readonly number[]): void {
  const timer = setInterval(() => {
    for (const [, slot, pid] of service.stderr().matchAll(/"slot":(\d+),"workerPid":(\d+),"msg":"worker forked"/g)) {
      if (slots.includes(Number(slot)) && isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
    }
  }, 10);
  context.after(() => {
    clearInterval(timer);
  });
}

/** The backoffs of a slot as the log tells them, in their order; undefined for a slot that stays down. */
function listBackoffs(service: Service, slot: number): (number | undefined)[] {
  const events = service
    .stderr()
    .split('\n')
    .filter((line) => /"worker died"|"slot stays down"/.test(line))
    .map((line) => JSON.parse(line) as { slot: number; backOffMs?: number });
  return events.filter((event) => event.slot === slot).map(({ backOffMs }) => backOffMs);
}

function assertBacksOff(service: Service, slot: number): void {
  const backoffs = listBackoffs(service, slot);
  assert.equal(backoffs.length, 10);
  for (const [index, backOffMs] of backoffs.slice(0, -1).entries()) {
    const fullMs = Math.min(5000, 100 * 2 ** index);
    assert.ok(backOffMs !== undefined && backOffMs >= fullMs / 2 && backOffMs <= fullMs, String(backoffs));
  }
  assert.equal(backoffs.at(-1), undefined);
}

describe('crash loops', { concurrency: true }, () => {
  test('a_service_whose_workers_all_crash_tells_so_until_it_ends_in_69', async (context) => {
    const service = await startService(context);
    const photo = await makePhoto();
    await warmWorkers(service, photo);
    const load = startRunningLoad(context, service.url, photo, { clients: 4 });
    await waitFor(() => load.outcomes.length > 20);
    const answers: Health[] = [];
    let end: number | NodeJS.Signals | null | undefined;
    const ended = service.ended.then((how) => (end = how));
    hunt(context, service, [0, 1]);
    await waitFor(
      async () => {
        const answer = await service.health().catch(() => undefined);
        if (answer) answers.push(answer);
        // Between the end of the ops port and that of the process there is nothing but its exit.
        else await ended;
        return end !== undefined;
      },
      'the service ends',
      60_000,
    );
    const report = await load.stop();
    console.log(`${String(answers.length)} answers of /health; ${describeLoad(report)}`);

    assert.equal(end, 69, service.stderr());
    assert.match(service.stderr(), /all slots are down: crash: SIGKILL/);
    for (const slot of [0, 1]) assertBacksOff(service, slot);
    const last = answers.at(-1);
    assert.equal(last?.status, 'unready');
    assert.match(last.workers.map(({ reason }) => reason).join(), /crash: SIGKILL/);
    // Those that waited for a worker when the service ended.
    const codes = report.failed.map(({ result }) =>
      result.kind === 'answered' ? result.answer.body.code : result.kind,
    );
    assert.deepEqual(
      [...new Set(codes)].filter((code) => code !== 'ERR_DRAINING'),
      [],
    );
  });

  test('a_slot_that_keeps_crashing_stays_down_and_says_why_while_the_other_serves', async (context) => {
    const service = await startService(context);
    const photo = await makePhoto();
    const [victim, other] = await warmWorkers(service, photo);
    assert.ok(victim && other);
    const load = startRunningLoad(context, service.url, photo, { clients: 2 });
    await waitFor(() => load.outcomes.length > 20);
    hunt(context, service, [victim.slot]);
    await waitFor(() => service.stderr().includes('slot stays down'), 'the slot stays down', 60_000);
    const { status, workers } = await service.health();
    assert.equal(status, 'ready');
    assert.equal(workers[victim.slot]?.stage, 'exited');
    assert.equal(workers[victim.slot]?.reason, 'down after 10 deaths in a row: crash: SIGKILL');
    assert.deepEqual([workers[other.slot]?.pid, workers[other.slot]?.serving], [other.pid, true]);
    assert.equal((await postRaw(service.url, photo)).status, 200);
    const report = await load.stop();
    console.log(describeLoad(report));
    assertBacksOff(service, victim.slot);
    assert.ok(report.reset.every(({ keptBy }) => keptBy?.pid === victim.pid));
    assertUnharmed({ ...report, reset: [] });
  });
});
