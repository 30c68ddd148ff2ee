import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { askFreshly, assertAllReachable, waitForCalm } from '../fixtures/calm.ts';
import { measureResources } from '../fixtures/resources.ts';
import { startService } from '../fixtures/service.ts';

const skip = process.platform === 'linux' ? false : 'it looks into /proc';

/** Opens connections that send what they are given and read nothing. */
function openDeafClients(t: TestContext, port: number, count: number, bytes: Buffer): Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect({ port, host: '127.0.0.1' });
    t.after(() => socket.destroy());
    socket.on('error', () => undefined).pause();
    socket.once('connect', () => socket.write(bytes));
    return socket;
  });
}

test('clients_that_pipeline_requests_and_never_read_leave_every_worker_reachable', { skip }, async (t) => {
  const service = await startService(t);
  const before = await measureResources(service);
  const request = 'GET /livez HTTP/1.1\r\nHost: test\r\n\r\n';
  const flood = openDeafClients(t, service.port, 600, Buffer.from(request.repeat(2600)));
  for (let i = 0; i < 10; i++) assert.equal(await askFreshly(service), 200);
  for (const socket of flood) socket.destroy();
  await waitForCalm(service, before);
  await assertAllReachable(service);
});

test(
  'clients_that_connect_to_a_frozen_worker_and_go_away_at_once_do_not_keep_it_from_later_ones',
  { skip },
  async (t) => {
    const service = await startService(t);
    const before = await measureResources(service);
    const [frozen] = (await service.health()).workers;
    assert.ok(frozen !== undefined);
    process.kill(frozen.pid, 'SIGSTOP');
    t.after(() => process.kill(frozen.pid, 'SIGCONT'));
    const request = Buffer.from('GET /livez HTTP/1.1\r\nHost: test\r\n\r\n');
    for (let round = 0; round < 10; round++) {
      const clients = openDeafClients(t, service.port, 100, request);
      await Promise.all(clients.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
      for (const socket of clients) socket.resetAndDestroy();
    }
    process.kill(frozen.pid, 'SIGCONT');
    await waitForCalm(service, before);
    await assertAllReachable(service);
  },
);
