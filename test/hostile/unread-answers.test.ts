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
import { assertCalmAgain, type Calm, measureCalm } from './unharmed.ts';

/** Opens clients that send requests as long as the service takes them and read nothing. */
function openDeafClients(context: test.TestContext, port: number, count: number, request: string): void {
  const batch = Buffer.from(request.repeat(Math.ceil(98_304 / request.length)));
  for (let opened = 0; opened < count; opened += 1) {
    const client = openRawClient(port);
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

/** Descriptors that the service holds beyond those of its calm. */
async function openDescriptors(service: Service, calm: Calm): Promise<number> {
  const sum = (resources: readonly Resources[]): number =>
    resources.reduce((total, { descriptors }) => total + descriptors, 0);
  return sum(await measureResources(service)) - sum(calm.resources);
}

/** Has deaf clients attack one port of a service, beside a client that uploads. */
async function attackDeafly(context: test.TestContext, toUrl: (service: Service) => string) {
  const service = await startService(context);
  const photo = await makePhoto();
  await warmWorkers(service, photo);
  const calm = await measureCalm(service);
  const polite = startRunningLoad(context, service.url, photo, { clients: 1, pauseMs: 300 });
  const port = Number(new URL(toUrl(service)).port);
  // More at once than may wait; and so few at once, with long answers, that only reading them would end it.
  openDeafClients(context, port, 20, 'GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n');
  openDeafClients(context, port, 6, `GET /metrics HTTP/1.1\r\nHost: test\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`);
  await waitFor(async () => (await openDescriptors(service, calm)) >= 6);
  return { service, calm, polite };
}

test('clients_that_pipeline_requests_and_never_read_are_disconnected_a_polite_client_gets_its_verdicts', async (context) => {
  const { service, calm, polite } = await attackDeafly(context, ({ url }) => url);
  let mostInFlight = 0;
  // One connection is the polite client's.
  await waitFor(async () => {
    mostInFlight = Math.max(mostInFlight, await readTotal(service.opsUrl, 'image_check_in_flight'));
    return (await openDescriptors(service, calm)) <= 1;
  });
  await endUnharmed(polite);
  console.log(`at most ${String(mostInFlight)} requests in flight`);
  assert.ok(mostInFlight <= 16 * 6 + 1);
  await assertCalmAgain(service, calm);
});

test('clients_that_pipeline_requests_on_the_ops_port_and_never_read_are_disconnected_probes_are_answered', async (context) => {
  const { service, calm, polite } = await attackDeafly(context, ({ opsUrl }) => opsUrl);
  await waitFor(async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      const answer = await fetch(service.opsUrl + path);
      await answer.arrayBuffer();
      assert.equal(answer.status, 200);
    }
    return (await openDescriptors(service, calm)) <= 1;
  });
  await endUnharmed(polite);
  await assertCalmAgain(service, calm);
});

test('requests_pipelined_on_the_ops_port_are_answered_in_their_order_until_they_are_too_many', async (context) => {
  const service = await startService(context);
  const opsPort = Number(new URL(service.opsUrl).port);
  const few = openRawClient(opsPort);
  context.after(() => few.socket.destroy());
  few.socket.write(
    ['/livez', '/nowhere', '/livez'].map((path) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`).join(''),
  );
  await waitFor(() => few.received().match(/HTTP\/1.1/g)?.length === 3);
  assert.deepEqual(few.received().match(/(?<=HTTP\/1.1 )\d+/g), ['200', '404', '200']);

  const many = openRawClient(opsPort);
  context.after(() => many.socket.destroy());
  many.socket.write('GET /livez HTTP/1.1\r\nHost: test\r\n\r\n'.repeat(1000));
  await waitFor(() => many.socket.destroyed);
  const answers = many.received().match(/HTTP\/1.1 200/g)?.length ?? 0;
  assert.ok(answers >= 1 && answers <= 16, `${String(answers)} answers`);
});
