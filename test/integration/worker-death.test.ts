import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import test from 'node:test';
import { isAlive } from '../fixtures/process-life.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { type Answer, postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

interface Outcome {
  readonly slot: number | undefined;
  readonly answer: Answer | undefined;
}

/** One client with a connection of its own that uploads until it is told to stop; it notes which worker it is with. */
async function upload(url: string, photo: Buffer, isOver: () => boolean): Promise<Outcome[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const outcomes: Outcome[] = [];
  let slot: number | undefined;
  while (!isOver()) {
    const answer = await postRaw(url, photo, { agent }).catch(() => undefined);
    outcomes.push({ slot, answer });
    slot = answer?.body.worker?.slot;
  }
  agent.destroy();
  return outcomes;
}

async function warmUp(service: Service, photo: Buffer): Promise<void> {
  await Promise.all(Array.from({ length: 6 }, () => postRaw(service.url, photo)));
  await waitFor(async () => (await service.health()).workers.every(({ ready }) => ready));
}

test('kill_9_resets_only_that_workers_connections_and_it_is_respawned', async (context) => {
  const service = await startService(context);
  const photo = await makePhoto();
  await warmUp(service, photo);
  const [victim] = (await service.health()).workers;
  assert.ok(victim);
  const totals = async (): Promise<number[]> => [
    await readTotal(service.opsUrl, 'image_check_http_requests_total'),
    await readTotal(service.opsUrl, 'image_check_checks_total'),
    await readTotal(service.opsUrl, 'image_check_request_duration_seconds_count'),
    await readTotal(service.opsUrl, 'process_cpu_seconds_total', 'worker="0"'),
  ];
  let last = await totals();
  const assertNoneFell = async (): Promise<void> => {
    const next = await totals();
    for (const [index, total] of next.entries())
      assert.ok(total >= (last[index] ?? 0), `${String(last)} → ${String(next)}`);
    last = next;
  };

  let isOver = false;
  const clients = Promise.all(Array.from({ length: 6 }, () => upload(service.url, photo, () => isOver)));
  await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_checks_total')) > 12);
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
    return (
      ((await service.health()).workers[0]?.checked ?? 0) > 0 || (await postRaw(service.url, photo)).status !== 200
    );
  });
  isOver = true;
  const outcomes = (await clients).flat();
  const failed = outcomes.filter(({ answer }) => answer?.status !== 200);
  assert.ok(outcomes.length > 12);
  for (const { slot, answer } of failed) {
    assert.equal(answer, undefined, 'a connection is reset, no error is answered');
    assert.equal(slot, victim.slot, 'and it was the dead worker’s');
  }
  assert.ok(failed.length <= 6);
  assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total', 'reason="crash"'), 1);
});

test('workers_are_gone_when_their_primary_is_killed', async (context) => {
  const service = await startService(context);
  const { workers } = await service.health();
  service.process.kill('SIGKILL');
  await waitFor(() => workers.every(({ pid }) => !isAlive(pid)), 5000);
});
