import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { openRawClient } from '../fixtures/raw-client.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import {
  multipartType,
  type RunningService,
  sendRaw,
  startHttpServer,
  toChecked,
  toPart,
  toRawPost,
} from './running-service.ts';

let service: RunningService | undefined;
afterEach(() => service?.close());

async function start(...options: Parameters<typeof startHttpServer>): Promise<RunningService> {
  return (service = await startHttpServer(...options));
}

const rawHeaders = ['Content-Type: image/png', 'Content-Length: 6'];
const closing = toRawPost([...rawHeaders, 'Connection: close'], 'pixels');

function toStatuses(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status ?? '');
}

test('a_connection_is_kept_after_an_answer_and_after_an_error_whose_body_was_small', async () => {
  const { port, accessLines } = await start();
  const { socket, reply, received } = openRawClient(port);
  const requests = [
    toRawPost(rawHeaders, 'pixels'),
    toRawPost(['Content-Type: text/plain', 'Content-Length: 6'], 'pixels'),
    toRawPost(rawHeaders, 'pixels', '/nowhere'),
    toRawPost([`Content-Type: ${multipartType}`, 'Content-Length: 6'], 'pixels'),
    toRawPost([...rawHeaders, 'X-Request-Timeout-Ms: soon'], 'pixels'),
  ];
  for (const [index, request] of requests.entries()) {
    socket.write(request);
    await waitFor(
      () => toStatuses(received()).length === index + 1 && received().endsWith('}'),
      `answer ${String(index)}`,
    );
  }
  socket.write(closing);
  assert.deepEqual(toStatuses((await reply()).text), ['200', '415', '404', '400', '400', '200']);
  assert.equal((await accessLines()).length, 6);
});

test('pipelined_requests_are_answered_in_their_order_each_with_its_own_id', async () => {
  const running = await start({
    check: async ({ images }) => {
      // The first to come is the last to be done.
      if (running.requests.length === 1) await waitFor(() => running.requests.length === 3, 'the others');
      return { verdict: 'accept', images: images.map((image) => toChecked(image)) };
    },
  });
  const withId = (id: string, ...more: string[]) =>
    toRawPost([...rawHeaders, `X-Request-Id: ${id}`, ...more], 'pixels');
  const { text } = await sendRaw(
    running.port,
    Buffer.concat([withId('one'), withId('two'), withId('three', 'Connection: close')]),
  );
  assert.deepEqual(toStatuses(text), ['200', '200', '200']);
  assert.deepEqual(
    [...text.matchAll(/X-Request-Id: (\w+)/g)].map(([, id]) => id),
    ['one', 'two', 'three'],
  );
  assert.equal((await running.accessLines()).length, 3);
});

test('of_pipelined_requests_whose_client_leaves_every_one_is_closed_and_aborted', async () => {
  let aborted = 0;
  const running = await start({
    check: ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted += 1;
          reject(signal.reason as Error);
        });
      }),
  });
  const { socket } = openRawClient(running.port);
  socket.write(Buffer.concat([1, 2, 3].map(() => toRawPost(rawHeaders, 'pixels'))));
  await waitFor(() => running.requests.length === 3, 'three checks');
  socket.destroy();
  await waitFor(() => aborted === 3, 'three aborted checks');
  const lines = await running.accessLines();
  assert.deepEqual(
    lines.map((line) => / 499 /.test(line)),
    [true, true, true],
  );
  assert.match(await running.registry.metrics(), /image_check_in_flight 0/);
});

test('a_client_that_closes_its_sending_side_after_whole_requests_reads_their_answers', async () => {
  const running = await start({
    check: async ({ images }) => {
      await waitFor(() => received().includes('100 Continue'), 'the service asks whether the client is still there');
      return { verdict: 'accept', images: images.map((image) => toChecked(image)) };
    },
  });
  const { socket, reply, received } = openRawClient(running.port);
  socket.end(Buffer.concat([toRawPost(rawHeaders, 'pixels'), toRawPost(rawHeaders, 'pixels')]));
  assert.deepEqual(toStatuses((await reply()).text), ['100', '200', '200']);
  assert.match(await running.registry.metrics(), /image_check_in_flight 0/);
});

test('a_client_of_HTTP_1.0_that_closes_its_sending_side_gets_its_answer_and_no_interim_one', async () => {
  const running = await start({
    check: async ({ images }) => {
      await waitFor(() => hasEnded, 'the service sees the end');
      return { verdict: 'accept', images: images.map((image) => toChecked(image)) };
    },
  });
  let hasEnded = false;
  running.server.once('connection', (socket: Socket) => socket.once('end', () => (hasEnded = true)));
  const { socket, reply } = openRawClient(running.port);
  socket.end(Buffer.from(toRawPost(rawHeaders, 'pixels').toString('latin1').replace('HTTP/1.1', 'HTTP/1.0')));
  assert.deepEqual(toStatuses((await reply()).text), ['200']);
});

test('a_client_that_sends_more_requests_at_once_than_may_wait_gets_the_answers_under_way_then_the_connection_closes', async () => {
  const running = await start({
    askPrimary: () => Promise.resolve({ status: 200, contentType: 'text/plain', body: '' }),
  });
  const { text } = await sendRaw(running.port, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(500));
  assert.deepEqual(toStatuses(text), ['200']);
  assert.equal(text.match(/Connection: close/g)?.length, 1);
  assert.equal((await running.accessLines()).length, 1);
  assert.match(await running.registry.metrics(), /image_check_in_flight 0/);
});

test('pipelined_requests_that_come_in_several_reads_are_all_answered_whatever_their_bodies', async () => {
  const running = await start({
    askPrimary: () => Promise.resolve({ status: 200, contentType: 'text/plain', body: 'x'.repeat(50_000) }),
  });
  const padded = Buffer.from(`GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(6000)}\r\n\r\n`);
  const upload = toRawPost(['Content-Type: image/png', 'Content-Length: 70000'], 'x'.repeat(70_000));
  const few = Buffer.from('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5));
  const requests = new Array<Buffer[]>(20).fill([padded, few, upload, padded]).flat();
  const { text } = await sendRaw(running.port, Buffer.concat([...requests, closing]));
  assert.deepEqual(toStatuses(text), new Array(161).fill('200'));
  assert.match(await running.registry.metrics(), /image_check_in_flight 0/);
});

test('a_chunked_body_that_comes_before_a_pipelined_request_is_read_whole', async () => {
  const running = await start();
  const piece = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  const chunked = toRawPost(['Content-Type: image/png', 'Transfer-Encoding: chunked'], `${piece.repeat(12)}0\r\n\r\n`);
  const { text } = await sendRaw(running.port, Buffer.concat([chunked, closing]));
  assert.deepEqual(toStatuses(text), ['200', '200']);
  assert.equal(running.requests[0]?.images[0]?.bytes.length, 12 * 0x4000);
});

test('no_more_than_eight_pipelined_requests_of_a_connection_are_handled_at_one_time', async () => {
  const open: (() => void)[] = [];
  let most = 0;
  const running = await start({
    check: ({ images }) =>
      new Promise((resolve) => {
        open.push(() => {
          resolve({ verdict: 'accept', images: images.map((image) => toChecked(image)) });
        });
        most = Math.max(most, open.length);
      }),
  });
  const reply = sendRaw(
    running.port,
    Buffer.concat([...new Array<Buffer>(15).fill(toRawPost(rawHeaders, 'pixels')), closing]),
  );
  for (let answered = 0; answered < 16; answered += 1) {
    await waitFor(() => open.length === Math.min(8, 16 - answered), 'the next requests start');
    open.shift()?.();
  }
  assert.deepEqual(toStatuses((await reply).text), new Array(16).fill('200'));
  assert.equal(most, 8);
});

test('a_client_that_reads_nothing_is_disconnected_after_server_writeTimeoutMs_its_requests_are_closed', async () => {
  const body = 'x'.repeat(2 ** 20);
  const running = await start({
    config: { server: { writeTimeoutMs: 200 } },
    askPrimary: () => Promise.resolve({ status: 200, contentType: 'text/plain', body }),
  });
  const { socket } = openRawClient(running.port);
  socket.pause();
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(16));
  await waitFor(async () => /image_check_in_flight 8/.test(await running.registry.metrics()), 'answers are stuck');
  await waitFor(() => running.openSockets() === 0, 'the connection is closed');
  assert.match(await running.registry.metrics(), /image_check_in_flight 0/);
  assert.ok((await running.accessLines()).some((line) => line.includes(' 499 ')));
  socket.destroy();
});

test('at_a_shutdown_new_images_are_503_ERR_DRAINING_and_close_what_is_in_flight_is_answered_and_closes', async () => {
  let finish = () => {};
  const running = await start({
    askPrimary: () => Promise.resolve({ status: 503, contentType: 'text/plain', body: 'draining' }),
    check: ({ images }) =>
      new Promise((resolve) => {
        finish = () => {
          resolve({ verdict: 'accept', images: images.map((image) => toChecked(image)) });
        };
      }),
  });
  const inFlight = openRawClient(running.port);
  inFlight.socket.write(toRawPost(rawHeaders, 'pixels'));
  const kept = openRawClient(running.port);
  kept.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
  await waitFor(() => running.requests.length === 1 && kept.received().includes('draining'), 'both connections');
  running.state.draining = 'shutdown';
  kept.socket.write(toRawPost(rawHeaders, 'pixels'));
  const refused = (await kept.reply()).text.slice(kept.received().indexOf('draining') + 'draining'.length);
  assert.match(refused, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
  assert.match(refused, /\r\nConnection: close\r\n/);
  assert.match(refused, /"code":"ERR_DRAINING"/);
  finish();
  const { status, text } = await inFlight.reply();
  assert.equal(status, 200);
  assert.match(text, /\r\nConnection: close\r\n/);
});

test('a_worker_that_is_replaced_serves_what_still_comes_and_closes', async () => {
  const running = await start();
  running.state.draining = 'replaced';
  const { status, text } = await sendRaw(running.port, toRawPost(rawHeaders, 'pixels'));
  assert.equal(status, 200);
  assert.match(text, /\r\nConnection: close\r\n/);
});

test('a_worker_that_sheds_closes_so_many_kept_connections_not_those_that_close_anyway_or_wait_for_more_answers', async () => {
  const running = await start();
  running.state.toShed = 1;
  await sendRaw(running.port, closing);
  const pipelined = await sendRaw(running.port, Buffer.concat([toRawPost(rawHeaders, 'pixels'), closing]));
  assert.deepEqual(toStatuses(pipelined.text), ['200', '200']);
  assert.equal(running.state.toShed, 1);
  const shed = await sendRaw(running.port, toRawPost(rawHeaders, 'pixels'));
  assert.equal(shed.status, 200);
  assert.match(shed.text, /\r\nConnection: close\r\n/);
  assert.equal(running.state.toShed, 0);
  const { socket, received } = openRawClient(running.port);
  socket.write(toRawPost(rawHeaders, 'pixels'));
  await waitFor(() => received().endsWith('}'), 'the answer');
  assert.match(received(), /\r\nConnection: keep-alive\r\n/);
});

test('a_shutdown_still_answers_operations_pages', async () => {
  const running = await start({
    askPrimary: () => Promise.resolve({ status: 200, contentType: 'application/json', body: '{"status":"live"}' }),
  });
  running.state.draining = 'shutdown';
  const { status, body } = await sendRaw(running.port, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.deepEqual([status, body], [200, '{"status":"live"}']);
});

test('an_idle_connection_is_closed_after_server_keepAliveTimeoutMs_and_at_once_where_that_is_0', async () => {
  const brief = await start({ config: { server: { keepAliveTimeoutMs: 50 } } });
  const first = await sendRaw(brief.port, toRawPost(rawHeaders, 'pixels'));
  assert.match(first.text, /\r\nConnection: keep-alive\r\n/);
  await brief.close();
  const none = await start({ config: { server: { keepAliveTimeoutMs: 0 } } });
  const second = await sendRaw(none.port, toRawPost(rawHeaders, 'pixels'));
  assert.match(second.text, /\r\nConnection: close\r\n/);
});

test('idle_connections_can_be_closed_from_outside_as_a_draining_worker_does', async () => {
  const running = await start();
  const { socket, reply, received } = openRawClient(running.port);
  socket.write(toRawPost(rawHeaders, 'pixels'));
  await waitFor(() => received().endsWith('}'), 'the answer');
  running.server.closeIdleConnections();
  assert.equal((await reply()).status, 200);
});

test('a_request_is_counted_under_its_route_and_timed', async () => {
  const running = await start();
  await sendRaw(running.port, closing);
  await sendRaw(running.port, toRawPost([`Content-Type: ${multipartType}`, 'Connection: close'], toPart('name="a"')));
  const metrics = await running.registry.metrics();
  assert.match(metrics, /http_requests_total\{route="\/v1\/check",method="POST",code="200"\} 1\n/);
  assert.match(metrics, /http_requests_total\{route="\/v1\/check",method="POST",code="400"\} 1\n/);
  assert.match(metrics, /request_duration_seconds_count\{route="\/v1\/check"\} 2\n/);
  assert.match(metrics, /step_duration_seconds_count\{step="upload"\} 1\n/);
  assert.match(metrics, /image_check_in_flight 0\n/);
});
