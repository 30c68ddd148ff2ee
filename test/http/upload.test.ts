import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { ServiceError } from '../../src/errors.ts';
import { openRawClient } from '../fixtures/raw-client.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import {
  multipartType,
  postParts,
  type RunningService,
  sendRaw,
  type ServiceOptions,
  startHttpServer,
  toMultipart,
  toPart,
  toRawPost,
} from './running-service.ts';

let service: RunningService | undefined;
afterEach(() => service?.close());

async function start(options: ServiceOptions = {}): Promise<RunningService> {
  return (service = await startHttpServer(options));
}

interface VerdictBody {
  requestId: string;
  verdict: string;
  images: { name: string; verdict: string; error?: { code: string } }[];
}

async function readNames(reply: Response): Promise<string[]> {
  assert.equal(reply.status, 200);
  return ((await reply.json()) as VerdictBody).images.map(({ name }) => name);
}

test('one_uploaded_photograph_gets_the_answer_of_the_contract_letter_by_letter', async () => {
  const { url, requests } = await start();
  const reply = await postParts(url, toPart('name="image"; filename="photo.jpg"', 'pixels'));
  const requestId = reply.headers.get('x-request-id');
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(reply.headers.get('cache-control'), 'no-store');
  assert.equal(reply.headers.get('etag'), null);
  assert.equal(reply.headers.get('x-powered-by'), null);
  assert.match(
    reply.headers.get('server-timing') ?? '',
    /^upload;dur=\d+(\.\d)?, decode;dur=3\.1, queue;dur=0\.3, inference;dur=9\.4$/,
  );
  const thresholds = { review: 0.5, reject: 0.8 };
  const labels = [{ label: 'dark', score: 0.1235, thresholds, verdict: 'accept' }];
  assert.deepEqual(await reply.json(), {
    requestId,
    verdict: 'accept',
    images: [
      {
        name: 'photo.jpg',
        verdict: 'accept',
        image: { format: 'jpeg', width: 4, height: 3, bytes: 6 },
        checks: [{ model: 'quality', version: '1', engine: 'wasm', verdict: 'accept', labels }],
        timingsMs: { decode: 3.1, queue: 0.3, inference: 9.4 },
      },
    ],
    worker: { slot: 3, pid: 4242 },
  });
  assert.deepEqual(Buffer.from(requests[0]?.images[0]?.bytes ?? []).toString(), 'pixels');
});

test('several_images_keep_their_order_and_their_bytes_large_ones_too', async () => {
  const { url, requests } = await start();
  const large = Buffer.alloc(3_000_000, 'abcdefg');
  const reply = await postParts(
    url,
    toPart('name="image"; filename="1.jpg"', 'one'),
    toPart('name="image"; filename="2.jpg"', large, 'image/jpeg'),
    toPart('name="image"; filename="3.jpg"', 'three'),
  );
  assert.deepEqual(await readNames(reply), ['1.jpg', '2.jpg', '3.jpg']);
  const received = requests[0]?.images.map(({ bytes }) => Buffer.from(bytes)) ?? [];
  assert.deepEqual([received[0]?.toString(), received[2]?.toString()], ['one', 'three']);
  assert.ok(received[1]?.equals(large));
});

for (const type of ['image/jpeg', 'IMAGE/PNG; charset=binary', 'application/octet-stream']) {
  test(`a raw body of ${type} is one image named upload`, async () => {
    const { url, requests } = await start();
    const body = Buffer.alloc(300_000, 'raw');
    const reply = await fetch(`${url}/v1/check`, { method: 'POST', headers: { 'Content-Type': type }, body });
    assert.deepEqual(await readNames(reply), ['upload']);
    assert.ok(body.equals(requests[0]?.images[0]?.bytes ?? Buffer.alloc(0)));
  });
}

test('a_chunked_body_of_one_byte_chunks_arrives_whole_raw_and_multipart', async () => {
  const { port, requests } = await start();
  const chunked = (bytes: Buffer) =>
    [...bytes].map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join('') + '0\r\n\r\n';
  const headers = ['Transfer-Encoding: chunked', 'Connection: close'];
  const raw = await sendRaw(port, toRawPost([...headers, 'Content-Type: image/png'], chunked(Buffer.from('abcdef'))));
  const form = chunked(toMultipart(toPart('name="image"; filename="a.png"', 'ghijkl')));
  const multipart = await sendRaw(port, toRawPost([...headers, `Content-Type: ${multipartType}`], form));
  assert.deepEqual([raw.status, multipart.status], [200, 200]);
  const received = requests.map(({ images }) => Buffer.from(images[0]?.bytes ?? []).toString());
  assert.deepEqual(received, ['abcdef', 'ghijkl']);
});

test('models_come_from_the_query_and_from_the_form_separated_by_commas_or_repeated_each_once', async () => {
  const { url, requests } = await start();
  const body = new FormData();
  body.append('image', new Blob(['pixels']), 'a.jpg');
  body.append('model', 'quality , nsfw@2');
  body.append('model', 'blur');
  await fetch(`${url}/v1/check?model=quality,faces&model=quality@1&unknown=1`, { method: 'POST', body });
  assert.deepEqual(requests[0]?.models, ['quality', 'faces', 'quality@1', 'nsfw@2', 'blur']);
});

test('an_empty_model_field_means_the_default_models_and_other_text_fields_are_ignored', async () => {
  const { url, requests } = await start();
  const reply = await postParts(
    url,
    toPart('name="model"', ''),
    toPart('name="csrf[token]"', 'x'),
    toPart('name="__proto__"', 'x'),
    toPart('name="submit"', 'Send'),
    toPart('name="image"; filename="a.jpg"'),
  );
  assert.equal(reply.status, 200);
  assert.deepEqual(requests[0]?.models, []);
});

test('file_names_come_out_as_UTF_8_however_they_were_sent', async () => {
  const { url } = await start();
  const reply = await postParts(
    url,
    toPart('name="image"; filename="Füße – 写真 😀.jpg"'),
    toPart(`name="image"; filename="fallback.jpg"; filename*=UTF-8''%E5%86%99%E7%9C%9F.jpg`),
    toPart('name="image"; filename="a%22b.jpg"'),
  );
  assert.deepEqual(await readNames(reply), ['Füße – 写真 😀.jpg', '写真.jpg', 'a"b.jpg']);
});

test('of_a_file_name_that_is_a_path_only_the_last_part_is_shown_and_a_file_is_never_dropped_for_its_name', async () => {
  const { url, requests } = await start();
  const names = [
    '../../etc/passwd',
    'C:\\\\Users\\\\me\\\\cat.png',
    '..',
    '/',
    'a%0D%0ASet-Cookie: x',
    'x'.repeat(400),
  ];
  const reply = await postParts(url, ...names.map((name) => toPart(`name="image"; filename="${name}"`)));
  const shown = await readNames(reply);
  assert.deepEqual(shown, ['passwd', 'cat.png', 'upload', 'upload', 'aSet-Cookie: x', 'x'.repeat(255)]);
  assert.equal(requests[0]?.images.length, names.length);
});

test('an_image_that_failed_has_a_problem_in_the_place_of_its_checks', async () => {
  const { url } = await start({
    check: ({ images }) => {
      const error = new ServiceError('ERR_IMAGE_CORRUPT', 'it is truncated');
      const failed = images.map(({ name }) => ({ kind: 'failed', name, verdict: 'review', error }) as const);
      return Promise.resolve({ verdict: 'review', images: failed });
    },
  });
  const reply = await postParts(url, toPart('name="image"; filename="a.jpg"'));
  const body = (await reply.json()) as VerdictBody;
  assert.equal(reply.status, 200);
  assert.deepEqual(body.images, [
    {
      name: 'a.jpg',
      verdict: 'review',
      error: {
        type: 'urn:image-check:error:image-corrupt',
        title: 'The image does not decode',
        status: 422,
        detail: 'it is truncated',
        code: 'ERR_IMAGE_CORRUPT',
        requestId: body.requestId,
      },
    },
  ]);
});

test('the_deadline_counts_from_the_last_byte_a_client_may_ask_for_less_and_not_for_more', async () => {
  const { url, requests } = await start({ config: { check: { deadlineMs: 4000 } } });
  for (const timeoutMs of ['1500', '999999999', undefined]) {
    const headers = { 'Content-Type': 'image/png', ...(timeoutMs && { 'X-Request-Timeout-Ms': timeoutMs }) };
    await fetch(`${url}/v1/check`, { method: 'POST', headers, body: 'pixels' });
  }
  const now = performance.now();
  const leftMs = requests.map(({ deadlineAt }) => deadlineAt - now);
  const [asked = 0, capped = 0, usual = 0] = leftMs;
  assert.ok(asked > 0 && asked <= 1500, String(asked));
  assert.ok(capped > 1500 && capped <= 4000, String(capped));
  assert.ok(usual > 1500 && usual <= 4000, String(usual));
});

test('a_client_that_waits_for_100_Continue_is_told_to_go_on', async () => {
  const { port } = await start();
  const { socket, reply, received } = openRawClient(port);
  const headers = ['Content-Type: image/png', 'Content-Length: 6', 'Expect: 100-continue', 'Connection: close'];
  socket.write(toRawPost(headers));
  await waitFor(() => received().includes('\r\n\r\n'), '100 Continue');
  assert.equal(received(), 'HTTP/1.1 100 Continue\r\n\r\n');
  socket.write('pixels');
  assert.match((await reply()).text, /\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
});

test('an_expectation_that_nobody_knows_is_no_reason_to_refuse_an_image', async () => {
  const { port } = await start();
  const headers = ['Content-Type: image/png', 'Content-Length: 6', 'Expect: miracles', 'Connection: close'];
  assert.equal((await sendRaw(port, toRawPost(headers, 'pixels'))).status, 200);
});

test('a_well_formed_request_id_is_taken_over_any_other_is_replaced_and_errors_carry_it_too', async () => {
  const { url } = await start();
  const ask = (id: string) => fetch(`${url}/nowhere`, { headers: { 'X-Request-Id': id } });
  const kept = await ask('order-17.a_b~c');
  assert.equal(kept.headers.get('x-request-id'), 'order-17.a_b~c');
  assert.equal(((await kept.json()) as { requestId: string }).requestId, 'order-17.a_b~c');
  for (const id of ['has space', 'x'.repeat(129), 'quo"te', '']) {
    const replaced = (await ask(id)).headers.get('x-request-id') ?? '';
    assert.match(replaced, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  }
});

test('a_client_that_leaves_aborts_its_check_and_is_logged_as_499', async () => {
  let isAborted = false;
  const running = await start({
    check: ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          isAborted = true;
          reject(signal.reason as Error);
        });
      }),
  });
  const { socket } = openRawClient(running.port);
  socket.write(toRawPost(['Content-Type: image/png', 'Content-Length: 6'], 'pixels'));
  await waitFor(() => running.requests.length === 1, 'the check starts');
  socket.destroy();
  await waitFor(() => isAborted, 'the check is aborted');
  await waitFor(async () => (await running.accessLines()).length === 1, 'the access line');
  assert.match((await running.accessLines())[0] ?? '', /"POST \/v1\/check HTTP\/1\.1" 499 0 /);
  assert.match(await running.registry.metrics(), /requests_total\{route="\/v1\/check",method="POST",code="499"\} 1/);
  assert.doesNotMatch(await running.registry.metrics(), /image_check_errors_total\{/);
});
