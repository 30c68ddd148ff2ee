import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { makeBombs } from '../fixtures/bombs.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { countStatuses, openRawClient, type RawClient, toUploadHeader } from '../fixtures/raw-client.ts';
import { describeGrowth, measureResources, type Resources } from '../fixtures/resources.ts';
import { assertUnharmed, describeLoad, type RunningLoad, startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { type Answer, postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

const settings = ['server.headersTimeoutMs=2000', 'upload.idleTimeoutMs=1000', 'upload.timeoutMs=2000'];
/** What the heaps of JavaScript and C keep of a thousand clients, 50 MB measured; the bytes of aborted uploads are 150. */
const keptBytes = 64 * 2 ** 20;

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Good traffic, on kept connections and on new ones. */
function startGoodLoad(context: test.TestContext, service: Service, photo: Buffer): RunningLoad[] {
  return [true, false].map((keepsConnections) =>
    startRunningLoad(context, service.url, photo, { clients: 2, keepsConnections }),
  );
}

async function stopGoodLoad(loads: readonly RunningLoad[]): Promise<void> {
  for (const report of await Promise.all(loads.map((load) => load.stop()))) {
    console.log(describeLoad(report));
    assertUnharmed(report);
  }
}

/** Waits until nothing is in flight, and descriptors and memory are what they were. */
async function assertReturned(service: Service, before: readonly Resources[]): Promise<void> {
  let after: Resources[] = [];
  const hasReturned = (): boolean =>
    after.every(({ descriptors, privateBytes }, index) => {
      const earlier = before[index];
      return earlier && descriptors <= earlier.descriptors && privateBytes <= earlier.privateBytes + keptBytes;
    });
  const wait = waitFor(async () => {
    after = await measureResources(service);
    return hasReturned() && (await readTotal(service.opsUrl, 'image_check_in_flight')) === 0;
  });
  await wait.finally(() => {
    console.log(`more than before: ${describeGrowth(before, after)}`);
  });
  assert.deepEqual(
    after.map(({ pid }) => pid),
    before.map(({ pid }) => pid),
    'the same processes',
  );
}

/** Connects clients that say something at once, or nothing. */
async function connectClients(service: Service, count: number, words: string): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    const more = times(50, () => openRawClient(service.port));
    await Promise.all(more.map(({ socket }) => once(socket, 'connect')));
    for (const { socket } of more) if (words !== '') socket.write(words);
    clients.push(...more);
    // Where the kernel's queue (server.backlog) overflows, it lets a client believe indefinitely that it is connected. Once
    // the primary has answered this, it has taken all that were in the queue.
    await service.health();
  }
  return clients;
}

/** Clients that would bring a whole upload in a few hours, or never. */
async function startSlowClients(context: test.TestContext, service: Service): Promise<Record<string, RawClient[]>> {
  const slow = {
    'slow headers': await connectClients(service, 500, 'POST /v1/check HTTP/1.1\r\nHost: test\r\nX-Slow: '),
    'slow bodies': await connectClients(service, 250, toUploadHeader(20_000)),
    'stalled bodies': await connectClients(service, 250, toUploadHeader(20_000)),
    silent: await connectClients(service, 1000, ''),
  };
  const dripping = [...slow['slow headers'], ...slow['slow bodies']];
  const timer = setInterval(() => {
    for (const { socket } of dripping) if (socket.writable) socket.write('x');
  }, 500);
  context.after(() => {
    clearInterval(timer);
    for (const { socket } of Object.values(slow).flat()) socket.destroy();
  });
  return slow;
}

/** Sends the first 300 kB of an upload and leaves. */
async function abortUpload(port: number, cut: (client: RawClient) => void): Promise<RawClient> {
  const client = openRawClient(port);
  client.socket.write(toUploadHeader(400_000, 'Expect: 100-continue'));
  await waitFor(() => client.received().includes('100 Continue'));
  client.socket.write(Buffer.alloc(300_000), () => {
    cut(client);
  });
  await client.closed;
  return client;
}

test('clients_that_mean_no_good_harm_nobody_and_leave_nothing_behind', async (context) => {
  const service = await startService(context, { args: settings.flatMap((setting) => ['--set', setting]) });
  const photo = await makePhoto();
  await warmWorkers(service, photo);
  for (let round = 0; round < 10; round += 1) await Promise.all(times(32, () => postRaw(service.url, photo)));
  await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_in_flight')) === 0);
  const before = await measureResources(service);

  await context.test('two_thousand_slow_clients', async (subtest) => {
    const loads = startGoodLoad(subtest, service, photo);
    const slow = await startSlowClients(subtest, service);
    await Promise.all(Object.values(slow).flatMap((clients) => clients.map(({ closed }) => closed)));
    for (const [name, clients] of Object.entries(slow)) console.log(name, countStatuses(clients));
    await stopGoodLoad(loads);
    assert.deepEqual(countStatuses(slow['silent'] ?? []), { none: 1000 });
    assert.deepEqual(countStatuses(slow['slow headers'] ?? []), { 408: 500 });
    assert.deepEqual(countStatuses(slow['slow bodies'] ?? []), { 408: 250 });
    assert.deepEqual(countStatuses(slow['stalled bodies'] ?? []), { 408: 250 });
    await assertReturned(service, before);
  });

  await context.test('a_thousand_aborted_uploads', async (subtest) => {
    const loads = startGoodLoad(subtest, service, photo);
    const finished: RawClient[] = [];
    for (let wave = 0; wave < 10; wave += 1) {
      const aborted = times(50, () => [
        abortUpload(service.port, ({ socket }) => socket.end()),
        abortUpload(service.port, ({ socket }) => socket.resetAndDestroy()),
      ]);
      for (const [finishing] of aborted) if (finishing) finished.push(await finishing);
      await Promise.all(aborted.flat());
    }
    console.log('500 reset, 500 closed:', countStatuses(finished));
    await stopGoodLoad(loads);
    assert.deepEqual(countStatuses(finished), { 400: 500 });
    await assertReturned(service, before);
  });

  await context.test('two_hundred_decompression_bombs', async (subtest) => {
    const bombs = await makeBombs();
    const loads = startGoodLoad(subtest, service, photo);
    const answers = await Promise.all(
      times(200, async (index): Promise<[string, Answer]> => {
        const [name, bytes] = bombs[index % bombs.length] ?? ['', Buffer.alloc(0)];
        return [name, await postRaw(service.url, bytes)];
      }),
    );
    await stopGoodLoad(loads);
    for (const [name, { status, body }] of answers) {
      assert.deepEqual([name, status, body.code], [name, 422, 'ERR_IMAGE_TOO_MANY_PIXELS']);
    }
    console.log(`${String(answers.length)} bombs of ${String(bombs.length)} kinds refused`);
    await assertReturned(service, before);
  });
});
