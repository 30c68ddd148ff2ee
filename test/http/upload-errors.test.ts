import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ErrorCode } from '../../src/errors.ts';
import {
  multipartType,
  postParts,
  type RunningService,
  sendRaw,
  startHttpServer,
  toMultipart,
  toPart,
  toRawPost,
} from './running-service.ts';

const limits = { maxBytes: 100_000, maxFiles: 3, maxRequestBytes: 400_000, maxBufferedBytes: 1_000_000 };
let service: RunningService;
before(async () => {
  service = await startHttpServer({ config: { upload: limits } });
});
after(() => service.close());

const image = (content: string | Buffer = 'pixels') => toPart('name="image"; filename="a.jpg"', content);
const textField = (name: string, value = 'x') => toPart(`name="${name}"`, value);

async function assertProblem(reply: Response, status: number, code: ErrorCode, detail?: RegExp): Promise<void> {
  const body = (await reply.json()) as Record<string, unknown>;
  assert.deepEqual([reply.status, body['code'], body['status']], [status, code, status], JSON.stringify(body));
  assert.equal(reply.headers.get('content-type'), 'application/problem+json');
  assert.equal(reply.headers.get('cache-control'), 'no-store');
  assert.equal(body['requestId'], reply.headers.get('x-request-id'));
  assert.equal(body['type'], `urn:image-check:error:${code.slice(4).toLowerCase().replaceAll('_', '-')}`);
  assert.match(String(body['detail']), detail ?? /./);
}

function post(body: string | Buffer | undefined, headers: Record<string, string>, query = ''): Promise<Response> {
  const init = { method: 'POST', headers, ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }) };
  return fetch(`${service.url}/v1/check${query}`, init);
}

const brokenForms: [string, Buffer[], number, ErrorCode, RegExp?][] = [
  ['no part at all', [], 400, 'ERR_UPLOAD_MISSING'],
  ['only text fields', [textField('model', 'quality')], 400, 'ERR_UPLOAD_MISSING'],
  ['an image sent as text', [textField('image', 'pixels')], 400, 'ERR_UPLOAD_MISSING', /-F image=@file/],
  ['an empty file', [image('')], 400, 'ERR_UPLOAD_MISSING', /empty/],
  ['a file input that was left empty', [toPart('name="image"; filename=""', '')], 400, 'ERR_UPLOAD_MISSING'],
  ['a file in another field', [toPart('name="photo"; filename="a.jpg"')], 400, 'ERR_UPLOAD_FIELD', /"image"/],
  ['a file in another field after a good one', [image(), toPart('name="b"; filename="b"')], 400, 'ERR_UPLOAD_FIELD'],
  ['too many files', [image(), image(), image(), image()], 400, 'ERR_UPLOAD_FIELD', /more than 3/],
  ['1,001 text parts', Array.from({ length: 1001 }, (_, n) => textField(`f${String(n)}`)), 400, 'ERR_UPLOAD_FIELD'],
  ['a long field value', [textField('model', 'v'.repeat(1025)), image()], 400, 'ERR_REQUEST_INVALID'],
  ['models that are no text', [textField('model[a]', 'b'), image()], 400, 'ERR_REQUEST_INVALID', /model/],
  ['a part without a name', [toPart('filename="a.jpg"'), image()], 400, 'ERR_UPLOAD_MALFORMED'],
  ['a file over the limit', [image(Buffer.alloc(100_001))], 413, 'ERR_UPLOAD_TOO_LARGE', /100000/],
  [
    'a broken part header',
    [Buffer.from('--limit\r\nContent Disposition form-data\r\n\r\nx\r\n')],
    400,
    'ERR_UPLOAD_MALFORMED',
  ],
  ['a part header over 8 kB', [toPart(`name="${'n'.repeat(9000)}"`)], 400, 'ERR_UPLOAD_MALFORMED'],
];
for (const [what, parts, status, code, detail] of brokenForms) {
  test(`a form with ${what} is ${String(status)} ${code}`, async () => {
    await assertProblem(await postParts(service.url, ...parts), status, code, detail);
  });
}

test('a_file_of_exactly_the_limit_is_taken_raw_and_in_a_form', async () => {
  const bytes = Buffer.alloc(limits.maxBytes);
  assert.equal((await postParts(service.url, image(bytes))).status, 200);
  assert.equal((await post(bytes, { 'Content-Type': 'image/png' })).status, 200);
});

test('a_form_inside_a_form_is_refused', async () => {
  const inner = Buffer.from(
    '--in\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx\r\n--in--\r\n',
  );
  const nested = toPart('name="files"', inner, 'multipart/mixed; boundary=in');
  await assertProblem(await postParts(service.url, nested), 400, 'ERR_UPLOAD_FIELD');
});

const brokenBodies: [string, string | Buffer | undefined, Record<string, string>, number, ErrorCode][] = [
  ['no body and no type', undefined, {}, 400, 'ERR_UPLOAD_MISSING'],
  ['an empty form', undefined, { 'Content-Type': multipartType }, 400, 'ERR_UPLOAD_MISSING'],
  ['an empty raw body', undefined, { 'Content-Type': 'image/png' }, 400, 'ERR_UPLOAD_MISSING'],
  ['a body without a type', 'x', { 'Content-Type': '' }, 415, 'ERR_CONTENT_TYPE'],
  ['JSON', '{}', { 'Content-Type': 'application/json' }, 415, 'ERR_CONTENT_TYPE'],
  ['a web form', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415, 'ERR_CONTENT_TYPE'],
  ['multipart/mixed', 'x', { 'Content-Type': 'multipart/mixed; boundary=x' }, 415, 'ERR_CONTENT_TYPE'],
  ['a type with a line of rubbish', 'x', { 'Content-Type': ';;;' }, 415, 'ERR_CONTENT_TYPE'],
  ['a gzipped body', 'x', { 'Content-Type': 'image/png', 'Content-Encoding': 'gzip' }, 415, 'ERR_CONTENT_TYPE'],
  ['a form without boundary', 'x', { 'Content-Type': 'multipart/form-data' }, 400, 'ERR_UPLOAD_MALFORMED'],
  ['a form with a broken type', 'x', { 'Content-Type': 'multipart/form-data; =' }, 400, 'ERR_UPLOAD_MALFORMED'],
  [
    'another boundary',
    toMultipart(image()),
    { 'Content-Type': 'multipart/form-data; boundary=x' },
    400,
    'ERR_UPLOAD_MALFORMED',
  ],
  ['a form without its end', image(), { 'Content-Type': multipartType }, 400, 'ERR_UPLOAD_MALFORMED'],
  ['a large raw body', Buffer.alloc(100_001), { 'Content-Type': 'image/png' }, 413, 'ERR_UPLOAD_TOO_LARGE'],
  ['a large form', Buffer.alloc(400_001), { 'Content-Type': multipartType }, 413, 'ERR_UPLOAD_TOO_LARGE'],
  [
    'no number as timeout',
    'x',
    { 'Content-Type': 'image/png', 'X-Request-Timeout-Ms': '1.5' },
    400,
    'ERR_REQUEST_INVALID',
  ],
  ['zero as timeout', 'x', { 'Content-Type': 'image/png', 'X-Request-Timeout-Ms': '0' }, 400, 'ERR_REQUEST_INVALID'],
];
for (const [what, body, headers, status, code] of brokenBodies) {
  test(`a request with ${what} is ${String(status)} ${code}`, async () => {
    await assertProblem(await post(body, headers), status, code);
  });
}

test('no_refused_upload_has_reached_the_check_service_with_an_empty_image_and_the_budget_is_whole_again', async () => {
  assert.ok(service.requests.every(({ images }) => images.some(({ bytes }) => bytes.length > 0)));
  const all = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => post(Buffer.alloc(100_000), { 'Content-Type': 'image/png' })),
  );
  assert.deepEqual([...new Set(all.map(({ status }) => status))], [200]);
});

test('a_chunked_body_is_cut_at_its_limit_while_it_comes_and_holds_a_permit_of_that_limit', async () => {
  const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;
  const headers = ['Transfer-Encoding: chunked', 'Content-Type: image/png', 'Connection: close'];
  const raw = await sendRaw(service.port, toRawPost(headers, chunk(60_000).repeat(2) + '0\r\n\r\n'));
  assert.match(raw.text, /^HTTP\/1\.1 413 /);
  const formHeaders = ['Transfer-Encoding: chunked', `Content-Type: ${multipartType}`, 'Connection: close'];
  const form = await sendRaw(service.port, toRawPost(formHeaders, chunk(90_000).repeat(5) + '0\r\n\r\n'));
  assert.match(form.body, /"code":"ERR_UPLOAD_TOO_LARGE"/);
});

test('a_transfer_coding_beyond_chunked_is_415', async () => {
  const headers = ['Transfer-Encoding: gzip, chunked', 'Content-Type: image/png', 'Connection: close'];
  assert.equal((await sendRaw(service.port, toRawPost(headers, '1\r\nx\r\n0\r\n\r\n'))).status, 415);
});
