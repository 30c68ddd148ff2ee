import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import test from 'node:test';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { type Answer, postRaw } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

test('a_respawned_worker_gets_its_share_of_clients_that_keep_their_connections', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'quality', policy: {} });
  const service = await startService(context, { args: ['--models', dir] });
  const photo = await makePhoto();
  const [, victim] = await warmWorkers(service, photo);
  assert.ok(victim !== undefined);
  process.kill(victim.pid, 'SIGKILL');
  // While one worker is gone, every client comes to the other.
  const agents = Array.from({ length: 16 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const send = (agent: Agent): Promise<Answer> => postRaw(service.url, photo, { agent });
  const first = await Promise.all(agents.map(send));
  assert.deepEqual([...new Set(first.map(({ body }) => body.worker?.slot))], [0]);

  let isOver = false;
  const statuses: number[] = [];
  const lastSlots = agents.map(() => 0);
  const clients = agents.map(async (agent, index) => {
    while (!isOver) {
      const { status, body } = await send(agent);
      statuses.push(status);
      lastSlots[index] = body.worker?.slot ?? NaN;
    }
    agent.destroy();
  });
  await Promise.race([
    Promise.all(clients),
    waitFor(() => lastSlots.filter((slot) => slot === 1).length >= 5, 'the other worker has its share', 60_000),
  ]).finally(() => (isOver = true));
  await Promise.all(clients);
  assert.deepEqual([...new Set(statuses)], [200]);
  console.log(`${String(statuses.length)} requests, the last ones answered by slots ${lastSlots.join(' ')}`);
});
