import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { ServiceError } from '../../src/errors.ts';
import { findForeignClients } from '../fixtures/foreign-clients.ts';
import { openRawClient } from '../fixtures/raw-client.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import {
  multipartType,
  type RunningService,
  startHttpServer,
  toChecked,
  toPart,
  toRawPost,
} from './running-service.ts';

const foreignClients = await findForeignClients();
let service: RunningService;
before(async () => {
  service = await startHttpServer();
});
after(() => service.close());

const partHeader = '--limit\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n';

/** Writes a body of so many bytes after its first ones. */
function writeBody(context: TestContext, bytes: number, prefix = ''): string {
  const bodyFile = path.join(makeTempDir(context), 'body');
  writeFileSync(bodyFile, prefix + 'x'.repeat(bytes));
  return bodyFile;
}

interface LargeUpload {
  readonly method: string;
  readonly type: string;
  readonly prefix?: string;
  readonly bytes: number;
  readonly status: number;
}

/** Bodies that are refused long before their end; what is left of each is within the 32 MiB that are thrown away. */
const largeUploads: Readonly<Record<string, LargeUpload>> = {
  'a form of 40 MB with one image': {
    method: 'POST',
    type: multipartType,
    prefix: partHeader,
    bytes: 40_000_000,
    status: 413,
  },
  'a raw image of 20 MB': { method: 'POST', type: 'image/jpeg', bytes: 20_000_000, status: 413 },
  'a text of 10 MB': { method: 'POST', type: 'text/plain', bytes: 10_000_000, status: 415 },
  'an image of 9 MB to no route': { method: 'PUT', type: 'image/jpeg', bytes: 9_000_000, status: 405 },
};
for (const [name, ask] of foreignClients) {
  for (const [what, { method, type, prefix, bytes, status }] of Object.entries(largeUploads)) {
    test(`${name} reads the answer to ${what}, and no broken pipe`, async (context) => {
      const bodyFile = writeBody(context, bytes, prefix);
      const reply = await ask({ url: `${service.url}/v1/check`, method, headers: { 'Content-Type': type }, bodyFile });
      assert.equal(reply.status, status);
      assert.equal((JSON.parse(reply.body) as { status: number }).status, status);
    });
  }
}

for (const [name, ask] of foreignClients) {
  test(`${name} is told before its body is read that a worker is full`, async (context) => {
    const full = await startHttpServer({
      assertRoom: () => {
        throw new ServiceError('ERR_OVERLOADED', 'full', { retryAfterSeconds: 7 });
      },
    });
    context.after(() => full.close());
    const bodyFile = writeBody(context, 9_000_000);
    const headers = { 'Content-Type': 'image/jpeg' };
    const reply = await ask({ url: `${full.url}/v1/check`, method: 'POST', headers, bodyFile });
    assert.equal(reply.status, 429);
    assert.equal(full.requests.length, 0);
  });
}

test('the_content_type_tells_before_the_body_is_read_whether_it_may_be_a_jpeg', async (context) => {
  const asked: boolean[] = [];
  const full = await startHttpServer({
    assertRoom: (_, mayBeJpeg) => {
      asked.push(mayBeJpeg);
      throw new ServiceError('ERR_OVERLOADED', 'full', { retryAfterSeconds: 7 });
    },
  });
  context.after(() => full.close());
  const types = ['image/jpeg', 'application/octet-stream', 'image/*', multipartType, 'image/PNG; a=b', 'image/webp'];
  for (const type of types) {
    const headers = { 'Content-Type': type };
    const answer = await fetch(`${full.url}/v1/check`, { method: 'POST', headers, body: 'x' });
    assert.equal(answer.status, 429);
  }
  assert.deepEqual(asked, [true, true, true, true, false, false]);
});

for (const name of ['fetch', 'curl']) {
  const ask = foreignClients.get(name);
  test(`${name} reads while it sends, and sees the answer to 80 MB`, { skip: ask === undefined }, async (context) => {
    const headers = { 'Content-Type': 'image/png' };
    const request = {
      url: `${service.url}/v1/check`,
      method: 'POST',
      headers,
      bodyFile: writeBody(context, 80_000_000),
    };
    assert.equal((await ask?.(request))?.status, 413);
  });
}

test('the_answer_is_written_at_once_and_an_endless_sender_is_cut_off_after_two_seconds', async () => {
  const { socket, reply, received } = openRawClient(service.port);
  const startedAt = performance.now();
  socket.write(toRawPost(['Content-Type: image/png', 'Content-Length: 9000000000']));
  const block = Buffer.alloc(65_536);
  const send = () => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', send);
  send();
  await waitFor(() => received().endsWith('}'), 'the answer');
  const answeredMs = performance.now() - startedAt;
  const { status, text } = await reply();
  const closedMs = performance.now() - startedAt;
  assert.equal(status, 413);
  assert.match(text, /\r\nConnection: close\r\n/);
  assert.ok(answeredMs < 1000, `answered after ${String(answeredMs)} ms`);
  assert.ok(closedMs > 1900 && closedMs < 5000, `closed after ${String(closedMs)} ms`);
  // What the buffers of both kernels hold comes on top of the 32 MiB.
  assert.ok(socket.bytesWritten < 64 * 2 ** 20, `took ${String(socket.bytesWritten)} bytes`);
});

for (const [what, part, status] of [
  ['a file over the limit', Buffer.concat([Buffer.from(partHeader), Buffer.alloc(11_000_000)]), 413],
  ['a file in another field', toPart('name="photo"; filename="a.jpg"', 'x'.repeat(1000)).subarray(0, -10), 400],
  ['a broken part header', Buffer.from('--limit\r\nContent Disposition\r\n\r\n'), 400],
] as const) {
  test(`a form is refused for ${what} while its client still has to send the rest`, async (context) => {
    const { socket, reply, received } = openRawClient(service.port);
    context.after(() => socket.destroy());
    const startedAt = performance.now();
    socket.write(toRawPost([`Content-Type: ${multipartType}`, 'Content-Length: 30000000'], part));
    await waitFor(() => received().endsWith('}'), 'the answer');
    assert.ok(performance.now() - startedAt < 2000);
    socket.destroy();
    assert.equal((await reply()).status, status);
  });
}

test('a_client_that_waits_for_100_Continue_gets_the_refusal_instead_and_no_word_to_go_on', async () => {
  const { socket, reply, received } = openRawClient(service.port);
  socket.write(toRawPost(['Content-Type: image/png', 'Content-Length: 20000000', 'Expect: 100-continue']));
  await waitFor(() => received().endsWith('}'), 'the answer');
  socket.end();
  assert.match((await reply()).text, /^HTTP\/1\.1 413 /);
});

function post(url: string, bytes: number): Promise<Response> {
  const headers = { 'Content-Type': 'image/png' };
  return fetch(`${url}/v1/check`, { method: 'POST', headers, body: Buffer.alloc(bytes) });
}

test('whole_uploads_that_fill_the_byte_budget_are_429_with_Retry_After_to_others_until_they_are_done', async () => {
  let finish = () => {};
  const running = await startHttpServer({
    config: { upload: { maxBufferedBytes: 1000, maxBytes: 1000 } },
    check: ({ images }) =>
      new Promise((resolve) => {
        finish = () => {
          resolve({ verdict: 'accept', images: images.map((image) => toChecked(image)) });
        };
      }),
  });
  try {
    const held = post(running.url, 600);
    await waitFor(() => running.requests.length === 1, 'the first upload is being checked');
    const refused = await post(running.url, 500);
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get('retry-after'), '1');
    assert.equal(((await refused.json()) as { code: string }).code, 'ERR_OVERLOADED');
    finish();
    assert.equal((await held).status, 200);
    const next = post(running.url, 500);
    await waitFor(() => running.requests.length === 2, 'the next upload is being checked');
    finish();
    assert.equal((await next).status, 200);
  } finally {
    await running.close();
  }
});

test('an_upload_that_stands_still_makes_room_for_one_that_arrives_and_its_client_reads_429', async () => {
  const running = await startHttpServer({ config: { upload: { maxBufferedBytes: 100_000 } } });
  try {
    const slow = openRawClient(running.port);
    slow.socket.write(toRawPost(['Content-Type: image/png', 'Content-Length: 60000'], 'x'));
    await waitFor(async () => /in_flight 1/.test(await running.registry.metrics()), 'the slow upload has begun');
    assert.equal((await post(running.url, 50_000)).status, 200);
    await waitFor(() => slow.received().endsWith('}'), 'the answer, while the connection is open');
    slow.socket.end();
    assert.match((await slow.reply()).text, /^HTTP\/1\.1 429 [^]*\r\nRetry-After: 1\r\n[^]*"code":"ERR_OVERLOADED"/);
  } finally {
    await running.close();
  }
});

test('a_body_that_the_whole_budget_could_not_hold_is_413_to_try_again_would_not_help', async () => {
  const running = await startHttpServer({ config: { upload: { maxBufferedBytes: 1000 } } });
  try {
    const init = { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: Buffer.alloc(1001) };
    assert.equal((await fetch(`${running.url}/v1/check`, init)).status, 413);
  } finally {
    await running.close();
  }
});

test('a_connection_is_kept_after_a_refusal_that_read_a_body_of_100_kB_not_after_one_of_1_MB', async (context) => {
  const full = await startHttpServer({
    assertRoom: () => {
      throw new ServiceError('ERR_OVERLOADED', 'full');
    },
  });
  context.after(() => full.close());
  const { socket, reply, received } = openRawClient(full.port);
  const send = (bytes: number): void => {
    socket.write(toRawPost(['Content-Type: image/jpeg', `Content-Length: ${String(bytes)}`], 'x'.repeat(bytes)));
  };
  send(100_000);
  await waitFor(() => received().endsWith('}'), 'the first answer');
  send(1_000_000);
  const answers = (await reply()).text.split('HTTP/1.1 ').slice(1);
  assert.deepEqual(
    answers.map((answer) => [answer.slice(0, 3), /^Connection: (.*)$/im.exec(answer)?.[1]]),
    [
      ['429', 'keep-alive'],
      ['429', 'close'],
    ],
  );
});
