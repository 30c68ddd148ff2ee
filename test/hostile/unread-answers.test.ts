import assert from 'node:assert/strict';
import test from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { openRawClient } from '../fixtures/raw-client.ts';
import { measureResources, type Resources } from '../fixtures/resources.ts';
import { endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';
import { assertCalmAgain, measureCalm } from './unharmed.ts';

/** Opens clients that send requests as long as the service takes them and read nothing. */
function openDeafClients(context: test.TestContext, service: Service, count: number, request: string): void {
  const batch = Buffer.from(request.repeat(Math.ceil(98_304 / request.length)));
  for (let opened = 0; opened < count; opened += 1) {
    const client = openRawClient(service.port);
    context.after(() => client.socket.destroy());
    client.socket.pause();
    const send = (): void => {
      client.socket.write(batch, (error) => {
        if (error === undefined || error === null) send();
      });
    };
    send();
  }
}

test('clients that pipeline requests and never read are disconnected, a polite client gets its verdicts', async (context) => {
  const service = await startService(context);
  const photo = await makePhoto();
  await warmWorkers(service, photo);
  const calm = await measureCalm(service);
  const polite = startRunningLoad(context, service.url, photo, { clients: 1, pauseMs: 300 });
  // More at once than may wait; and so few at once, with long answers, that only reading them would end it.
  openDeafClients(context, service, 20, 'GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n');
  openDeafClients(context, service, 6, `GET /metrics HTTP/1.1\r\nHost: test\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`);
  const sumDescriptors = (resources: readonly Resources[]): number =>
    resources.reduce((sum, { descriptors }) => sum + descriptors, 0);
  const openDescriptors = async (): Promise<number> =>
    sumDescriptors(await measureResources(service)) - sumDescriptors(calm.resources);
  await waitFor(async () => (await openDescriptors()) >= 6);
  let mostInFlight = 0;
  // One connection is the polite client's.
  await waitFor(async () => {
    mostInFlight = Math.max(mostInFlight, await readTotal(service.opsUrl, 'image_check_in_flight'));
    return (await openDescriptors()) <= 1;
  });
  await endUnharmed(polite);
  console.log(`at most ${String(mostInFlight)} requests in flight`);
  assert.ok(mostInFlight <= 16 * 6 + 1);
  await assertCalmAgain(service, calm);
});
