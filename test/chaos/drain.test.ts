import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import test from 'node:test';
import { type AccessLine, readAccessLines } from '../fixtures/access-lines.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { isAlive } from '../fixtures/process-life.ts';
import { describeLoad, endUnharmed, type LoadReport, startRunningLoad } from '../fixtures/running-load.ts';
import { startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

/**
 * A request is accepted when the service has read its header, which leaves a line in the access log. It is answered
 * whole then: by its verdict, or by the refusal ERR_DRAINING. What is not accepted finds its connection closed, or
 * nobody who listens.
 */
function assertNoneLost({ outcomes }: LoadReport, accepted: ReadonlyMap<string, AccessLine>): void {
  for (const { requestId, result } of outcomes) {
    if (result.kind === 'reset' || result.kind === 'refused') {
      assert.equal(accepted.get(requestId), undefined, `${result.kind}: ${result.error.message}`);
      continue;
    }
    assert.ok(result.kind === 'answered', result.kind === 'broken' ? result.error.message : '');
    const { status, body, headers } = result.answer;
    assert.equal(accepted.get(requestId)?.status, status);
    if (status !== 200) assert.deepEqual([status, body.code, headers['connection']], [503, 'ERR_DRAINING', 'close']);
  }
}

const clients = 8;

test('term_under_load_fails_no_request_that_was_accepted', async (context) => {
  const service = await startService(context, { args: ['--set', 'log.access=json'] });
  const photo = await makePhoto();
  const pids = (await warmWorkers(service, photo)).map(({ pid }) => pid);
  const load = startRunningLoad(context, service.url, photo, { clients });
  await waitFor(() => load.outcomes.length > 50);
  service.process.kill('SIGTERM');
  assert.equal(await service.ended, 0);
  await waitFor(() => load.outcomes.filter(({ result }) => result.kind === 'refused').length === clients);
  const report = await load.stop();
  assert.deepEqual(pids.filter(isAlive), []);
  const accepted = readAccessLines(service);
  const refusals = report.failed.length;
  console.log(`${describeLoad(report)}; of the failed ${String(refusals)} were told ERR_DRAINING`);
  assertNoneLost(report, accepted);
  assert.deepEqual(
    [...accepted.values()].filter(({ status }) => status === 499),
    [],
    'no answer was left unread',
  );
});

test('hup_under_load_replaces_every_worker_and_fails_no_request', async (context) => {
  const service = await startService(context);
  const photo = await makePhoto();
  const before = (await warmWorkers(service, photo)).map(({ pid }) => pid);
  const idle = new Agent({ keepAlive: true, maxSockets: 1 });
  context.after(() => {
    idle.destroy();
  });
  assert.equal((await postRaw(service.url, photo, { agent: idle })).status, 200);

  const kept = startRunningLoad(context, service.url, photo, { clients: 2 });
  const newcomers = startRunningLoad(context, service.url, photo, { clients: 1, keepsConnections: false });
  await waitFor(() => kept.outcomes.length > 20);
  service.process.kill('SIGHUP');
  await waitFor(() => service.stderr().includes('rolling restart complete'), 'the restart is complete', 60_000);
  assert.equal((await postRaw(service.url, photo, { agent: idle })).status, 200);
  const after = (await service.health()).workers;
  for (const load of [kept, newcomers]) {
    await endUnharmed(load);
  }
  assert.deepEqual(
    after.filter(({ pid, ready, restarts }) => before.includes(pid) || !ready || restarts !== 1),
    [],
  );
  assert.deepEqual(before.filter(isAlive), []);
  assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total', 'reason="reload"'), 2);
});

test('hup_under_load_to_a_model_that_fails_its_golden_image_keeps_the_old_workers', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'quality' });
  const service = await startService(context, { args: ['--models', dir] });
  const photo = await makePhoto();
  const before = (await warmWorkers(service, photo)).map(({ pid }) => pid);
  const load = startRunningLoad(context, service.url, photo, { clients: 2 });
  await waitFor(() => load.outcomes.length > 20);
  await writeColourModel(dir, { name: 'quality', goldenScores: [0, 1, 0] });
  service.process.kill('SIGHUP');
  await waitFor(() => service.stderr().includes('rolling restart stopped'), 'the restart stops', 60_000);
  assert.match(service.stderr(), /golden\/red\.png: scores differ by 1\.0000/);
  const countAtStop = load.outcomes.length;
  await waitFor(() => load.outcomes.length > countAtStop + 50);
  await endUnharmed(load);
  const { status, workers } = await service.health();
  assert.equal(status, 'ready');
  assert.deepEqual(
    workers.map(({ pid }) => pid),
    before,
  );
});
