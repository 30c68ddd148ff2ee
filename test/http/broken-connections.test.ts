import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { openRawClient, type RawReply } from '../fixtures/raw-client.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import {
  multipartType,
  type RunningService,
  sendRaw,
  startHttpServer,
  toChecked,
  toMultipart,
  toPart,
  toRawPost,
} from './running-service.ts';

let service: RunningService | undefined;
afterEach(() => service?.close());

async function start(...options: Parameters<typeof startHttpServer>): Promise<RunningService> {
  return (service = await startHttpServer(...options));
}

function assertProblem({ text, body }: RawReply, status: number, code: string): void {
  assert.match(text, new RegExp(`^HTTP/1\\.1 ${String(status)} `));
  assert.match(text, /\r\nContent-Type: application\/problem\+json\r\n/i);
  assert.match(text, /\r\nConnection: close\r\n/i);
  const problem = JSON.parse(body) as { status: number; code: string; requestId: string };
  assert.deepEqual([problem.status, problem.code], [status, code]);
  assert.match(text, new RegExp(`\\r\\nX-Request-Id: ${problem.requestId}\\r\\n`, 'i'));
}

const image = toMultipart(toPart('name="image"; filename="a.jpg"', Buffer.alloc(5000, 'x')));
const formHeaders = [`Content-Type: ${multipartType}`, `Content-Length: ${String(image.length)}`];
const rawHeaders = ['Content-Type: image/png', 'Content-Length: 6'];

for (const [what, request] of [
  ['a form', toRawPost(formHeaders, image.subarray(0, 2000))],
  ['a form before its first byte', toRawPost(formHeaders)],
  ['a raw body', toRawPost(rawHeaders, 'pix')],
  ['a chunked body', toRawPost(['Content-Type: image/png', 'Transfer-Encoding: chunked'], '3\r\npix\r\n')],
] as const) {
  test(`${what} whose client closes its side in the middle is 400, and the client reads it`, async () => {
    const running = await start();
    const { socket, reply } = openRawClient(running.port);
    socket.end(request);
    assertProblem(await reply(), 400, 'ERR_UPLOAD_MALFORMED');
    assert.equal(running.requests.length, 0);
    await waitFor(async () => (await running.accessLines()).length === 1, 'the access line');
    assert.match((await running.accessLines())[0] ?? '', /"POST \/v1\/check HTTP\/1\.1" 400 /);
    assert.match(await running.registry.metrics(), /image_check_in_flight 0/);
  });
}

test('a_client_that_vanishes_in_the_middle_of_an_upload_is_logged_as_499_its_permit_is_given_back', async () => {
  const running = await start({ config: { upload: { maxBufferedBytes: 10_000 } } });
  for (let round = 1; round <= 3; round += 1) {
    const { socket } = openRawClient(running.port);
    socket.write(toRawPost(formHeaders, image.subarray(0, 2000)));
    await waitFor(async () => /in_flight 1/.test(await running.registry.metrics()), 'the request is in flight');
    socket.resetAndDestroy();
    await waitFor(async () => (await running.accessLines()).length === round, 'the access line');
  }
  for (const line of await running.accessLines()) assert.match(line, /" 499 0 /);
  assert.match(await running.registry.metrics(), /image_check_in_flight 0/);
  assert.doesNotMatch(await running.registry.metrics(), /image_check_errors_total\{/);
  assert.equal((await sendRaw(running.port, toRawPost([...formHeaders, 'Connection: close'], image))).status, 200);
});

test('an_upload_that_pauses_too_long_is_408', async () => {
  const { port } = await start({ config: { upload: { idleTimeoutMs: 150 } } });
  const startedAt = performance.now();
  const { socket, reply, received } = openRawClient(port);
  socket.write(toRawPost(rawHeaders, 'pix'));
  await waitFor(() => received().endsWith('}'), 'the answer, while the connection is open');
  assert.ok(performance.now() - startedAt >= 140);
  socket.end();
  assertProblem(await reply(), 408, 'ERR_UPLOAD_TIMEOUT');
});

test('an_upload_that_is_slow_and_steady_is_taken_where_no_rate_is_asked_for', async () => {
  const { port } = await start({ config: { upload: { idleTimeoutMs: 500, minBytesPerSecond: 0 } } });
  const { socket, reply } = openRawClient(port);
  socket.write(toRawPost(['Content-Type: image/png', 'Content-Length: 30', 'Connection: close']));
  let sent = 0;
  const drip = setInterval(() => {
    socket.write('x');
    sent += 1;
    if (sent === 30) clearInterval(drip);
  }, 30);
  try {
    assert.equal((await reply()).status, 200);
  } finally {
    clearInterval(drip);
  }
});

test('an_upload_that_is_steady_but_below_upload_minBytesPerSecond_is_408', async () => {
  const { port } = await start({ config: { upload: { idleTimeoutMs: 300, minBytesPerSecond: 1000 } } });
  const { socket, reply, received } = openRawClient(port);
  socket.write(toRawPost(formHeaders, image.subarray(0, 200)));
  const drip = setInterval(() => socket.write('x'), 20);
  try {
    await waitFor(() => received().endsWith('}'), 'the answer, while the connection is open');
    clearInterval(drip);
    socket.end();
    const answer = await reply();
    assertProblem(answer, 408, 'ERR_UPLOAD_TIMEOUT');
    assert.match(answer.body, /fewer than 1000 bytes a second arrived/);
  } finally {
    clearInterval(drip);
  }
});

test('an_upload_that_arrives_while_the_worker_is_too_busy_to_read_it_is_not_refused_for_that', async () => {
  const { port } = await start({ config: { upload: { idleTimeoutMs: 200, minBytesPerSecond: 1000 } } });
  const { socket, reply, received } = openRawClient(port);
  socket.write(
    toRawPost(['Content-Type: image/png', 'Content-Length: 6', 'Expect: 100-continue', 'Connection: close']),
  );
  await waitFor(() => received().includes('100 Continue'), 'the upload is being read');
  socket.write('pixels');
  // The client shares this thread; what it has written is with the kernel.
  const busyUntil = performance.now() + 400;
  while (performance.now() < busyUntil);
  assert.match((await reply()).text, /HTTP\/1\.1 200 OK/);
});

test('an_upload_that_never_pauses_and_never_ends_is_408_in_time_multipart_too', async () => {
  const { port } = await start({ config: { upload: { idleTimeoutMs: 5000, timeoutMs: 300 } } });
  const { socket, reply, received } = openRawClient(port);
  socket.write(toRawPost(formHeaders, image.subarray(0, 200)));
  const drip = setInterval(() => socket.write('x'), 20);
  try {
    await waitFor(() => received().endsWith('}'), 'the answer, while the connection is open');
    clearInterval(drip);
    socket.end();
    assertProblem(await reply(), 408, 'ERR_UPLOAD_TIMEOUT');
  } finally {
    clearInterval(drip);
  }
});

test('a_client_that_is_slow_with_its_header_is_cut_with_408', async () => {
  const running = await start({ config: { server: { headersTimeoutMs: 200 } } });
  const startedAt = performance.now();
  assertProblem(await sendRaw(running.port, 'POST /v1/check HTTP/1.1\r\nHost: x\r\n'), 408, 'ERR_UPLOAD_TIMEOUT');
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs >= 190 && tookMs < 3000, String(tookMs));
  await waitFor(async () => (await running.accessLines()).length === 1, 'the access line');
  assert.match((await running.accessLines())[0] ?? '', /^127\.0\.0\.1 - - \[[^\]]+\] "- - -" 408 \d{3} "-" "-" 0ms$/);
});

test('a_connection_that_never_says_anything_is_closed_without_a_word', async () => {
  const running = await start({ config: { server: { headersTimeoutMs: 200 } } });
  assert.equal((await openRawClient(running.port).reply()).text, '');
  assert.deepEqual(await running.accessLines(), []);
});

for (const [what, bytes, status] of [
  ['no HTTP at all', '\x16\x03\x01 hello\r\n\r\n', 400],
  ['a broken request line', 'GET\r\n\r\n', 400],
  ['a header that is cut off', 'GET /livez HTTP/1.1\r\nHost', 400],
  ['two lengths', toRawPost([...rawHeaders, 'Content-Length: 7'], 'pixels!'), 400],
  ['a length and a transfer coding', toRawPost([...rawHeaders, 'Transfer-Encoding: chunked'], '0\r\n\r\n'), 400],
  ['a negative length', toRawPost(['Content-Type: image/png', 'Content-Length: -1'], 'x'), 400],
  ['a header name with a space', toRawPost([...rawHeaders, 'X Y: z'], 'pixels'), 400],
  ['a bare CR in a header', toRawPost([...rawHeaders, 'X-A: b\rSet-Cookie: c'], 'pixels'), 400],
  ['too much header', toRawPost([...rawHeaders, `X-Large: ${'x'.repeat(20_000)}`], 'pixels'), 431],
] as const) {
  test(`${what} is ${String(status)} with a problem document`, async () => {
    const running = await start();
    const { socket, reply } = openRawClient(running.port);
    socket.end(bytes);
    assertProblem(await reply(), status, 'ERR_REQUEST_INVALID');
    assert.equal(running.requests.length, 0);
    assert.match(await running.registry.metrics(), /requests_total\{route="other",method="other",code="4\d\d"\} 1/);
  });
}

test('a_broken_chunk_in_an_upload_is_400', async () => {
  const { port } = await start();
  const headers = ['Content-Type: image/png', 'Transfer-Encoding: chunked'];
  assertProblem(await sendRaw(port, toRawPost(headers, '3\r\npix\r\nZZ\r\n')), 400, 'ERR_UPLOAD_MALFORMED');
});

test('rubbish_behind_a_whole_request_neither_harms_its_answer_nor_gets_one', async () => {
  const running = await start({
    check: async ({ images }) => {
      await waitFor(() => running.events.some((line) => line.includes('a connection failed')), 'the rubbish arrives');
      return { verdict: 'accept', images: images.map((one) => toChecked(one)) };
    },
  });
  const headers = ['Content-Type: image/png', 'Transfer-Encoding: chunked'];
  const { text } = await sendRaw(running.port, toRawPost(headers, '6\r\npixels\r\n0\r\n\r\n\x00rubbish\r\n\r\n'));
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /\r\nConnection: close\r\n/);
  assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
});

test('after_all_that_the_service_still_answers', async () => {
  const { url, port, registry } = await start();
  await sendRaw(port, 'GET\r\n\r\n');
  const reply = await fetch(`${url}/v1/check`, { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: 'x' });
  assert.equal(reply.status, 200);
  await reply.text();
  assert.match(await registry.metrics(), /image_check_in_flight 0/);
});
