import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import test from 'node:test';
import { assertAllReachable, waitForCalm } from '../fixtures/calm.ts';
import { createLimitedNode, limitDescriptors } from '../fixtures/descriptor-limit.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { countStatuses, openRawClient } from '../fixtures/raw-client.ts';
import { measureResources } from '../fixtures/resources.ts';
import { startService } from '../fixtures/service.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const skip = process.platform === 'linux' ? false : 'it looks into /proc';
/** Requests over a connection of the agent's, which then keeps it. */
function askOn(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/livez`, { agent }, (response) => response.resume().once('end', resolve));
    sent.on('error', reject).end();
  });
}

/** Fewer than each process has open: it can open nothing more. */
const exhausted = 10;
const plenty = 1024;

test('connections_that_a_worker_has_no_descriptor_for_are_served_when_it_has_some_again', { skip }, async (t) => {
  const service = await startService(t);
  const { workers } = await service.health();
  for (const { pid } of workers) limitDescriptors(pid, exhausted);
  const clients = Array.from({ length: 12 }, () => openRawClient(service.port));
  for (const { socket } of clients) socket.write('GET /livez HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
  await waitFor(() => /connections did not reach the worker/.test(service.stderr()));
  for (const { pid } of workers) limitDescriptors(pid, plenty);
  await Promise.all(clients.map(({ closed }) => closed));
  assert.deepEqual(countStatuses(clients), { 200: 12 });
  await assertAllReachable(service);
});

test('a_service_with_few_descriptors_refuses_what_it_cannot_hold_and_goes_on_serving', { skip }, async (t) => {
  const service = await startService(t, { node: createLimitedNode(t, 256) });
  assert.match(service.stderr(), /ulimit -n allows fewer connections/);
  const before = await measureResources(service);
  const clients = Array.from({ length: 800 }, () => openRawClient(service.port));
  await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_connections_refused_total')) > 400);
  const { workers } = await service.health();
  for (const { pid } of workers) assert.ok(readdirSync(`/proc/${String(pid)}/fd`).length < 256);
  for (const { socket } of clients) socket.destroy();
  await waitForCalm(service, before);
  await assertAllReachable(service);
  await waitFor(() => /"refused":\{"descriptors":\d+.*connections refused/.test(service.stderr()));
});

test(
  'a_primary_that_has_no_descriptor_to_accept_a_connection_with_survives_and_serves_again_later',
  { skip },
  async (t) => {
    const service = await startService(t);
    const before = await measureResources(service);
    const pid = service.process.pid ?? 0;
    // As many as it has: libuv then accepts and closes. Below that it could not even reopen its spare descriptor.
    limitDescriptors(pid, readdirSync(`/proc/${String(pid)}/fd`).length);
    const clients = Array.from({ length: 50 }, () => openRawClient(service.port));
    // A gap in the numbers leaves room for some.
    await Promise.all(clients.slice(10).map(({ closed }) => closed));
    limitDescriptors(pid, plenty);
    for (const { socket } of clients) socket.destroy();
    await waitForCalm(service, before);
    await assertAllReachable(service);
  },
);

test(
  'workers_without_a_free_descriptor_keep_serving_cold_model_or_warm_and_are_whole_again_later',
  { skip },
  async (t) => {
    const service = await startService(t);
    const photo = await makePhoto();
    const agent = new Agent({ keepAlive: true, maxSockets: 6 });
    t.after(() => {
      agent.destroy();
    });
    const uploadAll = (): Promise<string[]> =>
      Promise.all(
        Array.from({ length: 6 }, async () => {
          const { status, body } = await postRaw(service.url, photo, { agent });
          return `${String(status)} ${body.code ?? ''}`.trim();
        }),
      );
    // One worker has loaded its model by then, the other has not: six connections reach both.
    await postRaw(service.url, photo);
    const { workers } = await service.health();
    await Promise.all(Array.from({ length: 6 }, () => askOn(service.url, agent)));
    for (const { pid } of workers) limitDescriptors(pid, exhausted);
    assert.deepEqual(new Set(await uploadAll()), new Set(['200', '503 ERR_MODEL_UNAVAILABLE']));
    for (const { pid } of workers) limitDescriptors(pid, plenty);
    await waitFor(async () => (await uploadAll()).every((answer) => answer === '200'));
    await assertAllReachable(service);
    assert.deepEqual(
      (await service.health()).workers.map(({ pid }) => pid),
      workers.map(({ pid }) => pid),
    );
  },
);

test('a_worker_that_dies_while_the_primary_has_no_free_descriptor_is_forked_again_later', { skip }, async (t) => {
  const service = await startService(t);
  const { primary, workers } = await service.health();
  const [victim] = workers;
  assert.ok(victim !== undefined);
  limitDescriptors(primary.pid, exhausted);
  process.kill(victim.pid, 'SIGKILL');
  await waitFor(() => service.stderr().includes('could not be forked'));
  limitDescriptors(primary.pid, plenty);
  await waitFor(async () => (await service.health()).workers.every(({ serving }) => serving));
  const photo = await makePhoto();
  const answers = await Promise.all(Array.from({ length: 6 }, () => postRaw(service.url, photo)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
});
