import assert from 'node:assert/strict';
import test from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { startService } from '../fixtures/service.ts';
import { readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** Clients that never pause would take the CPU from the workers that are to take over. */
const gentle = { clients: 4, pauseMs: 25 };

test('workers_that_have_answered_enough_uploads_hand_over_warm_and_no_request_fails', async (context) => {
  const service = await startService(context, { args: ['--set', 'supervisor.maxRequests=20'] });
  const before = (await service.health()).workers.map(({ pid }) => pid);
  const load = startRunningLoad(context, service.url, await makePhoto(), gentle);
  await waitFor(
    async () => {
      const { workers } = await service.health();
      return workers.every(({ pid, ready, restarts }) => ready && restarts > 0 && !before.includes(pid));
    },
    'both workers are replaced',
    120_000,
  );
  const answers = await endUnharmed(load);
  assert.ok(answers.length >= 40);
  const total = (...labels: string[]): Promise<number> =>
    readTotal(service.opsUrl, 'image_check_worker_restarts_total', ...labels);
  const [recycled, restarts] = await Promise.all([total('reason="max_requests"'), total()]);
  assert.ok(recycled >= 2);
  assert.equal(restarts, recycled);
});

test('private_memory_is_what_the_kernel_says', async (context) => {
  const args = ['--workers', '1', '--set', 'supervisor.maxPrivateBytes=1000000'];
  const service = await startService(context, { args });
  await waitFor(
    async () => (await readTotal(service.opsUrl, 'image_check_worker_restarts_total', 'reason="memory"')) >= 1,
  );
  assert.match(service.stderr(), /"reason":"memory","msg":"worker has reached a limit"/);
});
