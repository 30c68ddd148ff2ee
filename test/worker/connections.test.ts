import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import type { ToPrimary } from '../../src/ipc/messages.ts';
import { Connections } from '../../src/worker/connections.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** Both ends of a connection. */
async function openPair(context: TestContext): Promise<{ client: Socket; accepted: Socket }> {
  const listener = createTcpServer().listen(0, '127.0.0.1');
  context.after(() => listener.close());
  await once(listener, 'listening');
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  context.after(() => client.destroy());
  client.on('error', () => undefined);
  const [accepted] = (await once(listener, 'connection')) as [Socket];
  return { client, accepted };
}

function createConnections(): { connections: Connections; sent: ToPrimary[] } {
  const sent: ToPrimary[] = [];
  return { connections: new Connections((message) => sent.push(message)), sent };
}

test('a_connection_is_served_and_its_end_is_reported', async (context) => {
  const { connections, sent } = createConnections();
  const server = createServer((_request, response) => response.end('served'));
  const { client, accepted } = await openPair(context);
  connections.serve(5, accepted, server);
  client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await waitFor(() => sent.length === 2 && text.endsWith('served'));
  assert.deepEqual(sent, [
    { type: 'accepted', id: 5 },
    { type: 'closed', id: 5 },
  ]);
});

test('a_client_that_left_while_its_socket_travelled_is_reported_as_closed', () => {
  const { connections, sent } = createConnections();
  connections.serve(5, undefined, createServer());
  assert.deepEqual(sent, [
    { type: 'accepted', id: 5 },
    { type: 'closed', id: 5 },
  ]);
});

test('a_socket_that_no_server_can_take_is_closed', async (context) => {
  const { connections, sent } = createConnections();
  const { client, accepted } = await openPair(context);
  connections.serve(5, accepted, undefined);
  await once(client.resume(), 'close');
  assert.ok(accepted.destroyed);
  assert.deepEqual(sent.at(-1), { type: 'closed', id: 5 });
});

test('draining_closes_idle_and_silent_connections_and_waits_for_the_request_in_flight', async (context) => {
  const { connections, sent } = createConnections();
  let finish: () => void = () => undefined;
  const server = createServer((request, response) => {
    if (request.url === '/slow') finish = () => response.end('late');
    else response.end('fast');
  });
  const [silent, idle, busy] = [await openPair(context), await openPair(context), await openPair(context)];
  for (const [id, { accepted }] of [silent, idle, busy].entries()) connections.serve(id, accepted, server);
  idle.client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(idle.client, 'data');
  busy.client.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  let text = '';
  busy.client.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await waitFor(() => busy.accepted.bytesRead > 0);
  let isDrained = false;
  const drained = connections.drain(server, 'shutdown').then(() => (isDrained = true));
  await waitFor(() => silent.accepted.destroyed && idle.accepted.destroyed);
  assert.equal(isDrained, false, 'a request is in flight');
  finish();
  await drained;
  assert.match(text, /late$/);
  const closed = sent.flatMap((message) => (message.type === 'closed' ? [message.id] : []));
  assert.deepEqual(closed.sort(), [0, 1, 2]);
});
