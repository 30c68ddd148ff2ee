import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import { errorTable } from '../../src/error-table.ts';
import { type ErrorCode, errorCodes } from '../../src/errors.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makeChunks } from '../fixtures/costly-pictures.ts';
import { askByCurl, askByUrllib, type ForeignRequest, hasCommand } from '../fixtures/foreign-clients.ts';
import { makeNanGraph } from '../fixtures/nan-graph.ts';
import { makePhoto, makePlain } from '../fixtures/pictures.ts';
import { startPoisonedService } from '../fixtures/poisoned-service.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw, readTotal, type VerdictBody } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { drawPlain } from '../image/fixtures.ts';

const seen = new Set<ErrorCode>();
const hasCurl = await hasCommand('curl');
if (!hasCurl) console.log('curl is not found: fetch and urllib are compared without it');
assert.ok(hasCurl || process.env['IMAGE_CHECK_REQUIRE'] !== 'all', 'curl is required');

function assertProblem(
  code: ErrorCode,
  status: number,
  body: VerdictBody & { status?: number; type?: string; title?: string },
): void {
  assert.deepEqual({ status, code: body.code }, { status: errorTable[code].status, code });
  assert.equal(body.status, status);
  assert.equal(body.title, errorTable[code].title);
  assert.ok(body.type !== undefined && body.detail !== undefined && body.requestId !== undefined, JSON.stringify(body));
  seen.add(code);
}

async function assertByFetch(code: ErrorCode, asked: ForeignRequest): Promise<void> {
  const body = asked.bodyFile === undefined ? null : new Blob([readFileSync(asked.bodyFile)]);
  const response = await fetch(asked.url, { method: asked.method, headers: asked.headers, body });
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.ok(response.headers.get('x-request-id'));
  assert.equal(response.headers.has('retry-after'), [429, 503].includes(response.status) && code !== 'ERR_DRAINING');
  assertProblem(code, response.status, (await response.json()) as VerdictBody);
}

const foreign = (hasCurl ? [askByUrllib, askByCurl] : [askByUrllib]).map(
  (ask) => async (code: ErrorCode, asked: ForeignRequest) => {
    const answer = await ask(asked);
    assertProblem(code, answer.status, JSON.parse(answer.body) as VerdictBody);
  },
);

/** Sends a request by fetch, urllib and curl, and looks for the code's row of the table. */
const clients = [assertByFetch, ...foreign];

async function assertEverywhere(code: ErrorCode, asked: ForeignRequest): Promise<void> {
  for (const assertBy of clients) await assertBy(code, asked);
}

/** A PNG of 30 bytes of header that announces a picture too large for any memory. */
function makeBomb(): Buffer {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC',
    'base64',
  );
  png.writeUInt32BE(100_000, 16);
  png.writeUInt32BE(100_000, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

const image = { 'Content-Type': 'image/jpeg' };

test('every_client_sees_the_row_of_the_table', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'quality' });
  writeFileSync(path.join(await writeColourModel(dir, { name: 'broken' }), 'weights.bin'), 'short');
  const service = await startService(context, { args: ['--models', dir] });
  const photo = await makePhoto();
  const toFile = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(path.join(dir, name), bytes);
    return path.join(dir, name);
  };
  const url = `${service.url}/v1/check`;
  const good = toFile('photo.jpg', photo);
  const multipart = { 'Content-Type': 'multipart/form-data; boundary=b' };
  const part = (field: string): string =>
    `--b\r\nContent-Disposition: form-data; name="${field}"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--b--\r\n`;
  const post = (headers: Record<string, string>, bodyFile: string, query = ''): ForeignRequest => ({
    method: 'POST',
    url: `${url}${query}`,
    headers,
    bodyFile,
  });
  // The model is loaded first: a deadline that passes while it loads is another error.
  assert.equal((await postRaw(service.url, photo)).status, 200);
  assert.equal((await postRaw(service.url, photo)).status, 200);
  await waitFor(async () => (await service.health()).workers.every(({ ready }) => ready));

  await assertEverywhere('ERR_UPLOAD_MISSING', post(multipart, toFile('empty-form', '--b--\r\n')));
  await assertEverywhere('ERR_UPLOAD_MALFORMED', post(multipart, toFile('cut-form', part('image').slice(0, -9))));
  await assertEverywhere('ERR_UPLOAD_FIELD', post(multipart, toFile('other-field', part('picture'))));
  await assertEverywhere('ERR_REQUEST_INVALID', post({ ...image, 'X-Request-Timeout-Ms': 'soon' }, good));
  await assertEverywhere('ERR_UPLOAD_TOO_LARGE', post(image, toFile('large', Buffer.alloc(20 * 2 ** 20))));
  await assertEverywhere('ERR_CONTENT_TYPE', post({ 'Content-Type': 'text/plain' }, good));
  await assertEverywhere(
    'ERR_IMAGE_UNSUPPORTED',
    post(image, toFile('drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>')),
  );
  await assertEverywhere('ERR_IMAGE_CORRUPT', post(image, toFile('half.jpg', photo.subarray(0, photo.length / 2))));
  await assertEverywhere('ERR_IMAGE_TOO_MANY_PIXELS', post(image, toFile('bomb.png', makeBomb())));
  await assertEverywhere('ERR_IMAGE_TOO_COSTLY', post(image, toFile('chunks.png', makeChunks())));
  await assertEverywhere('ERR_MODEL_UNKNOWN', post(image, good, '?model=shape'));
  await assertEverywhere('ERR_RULES_UNKNOWN', post(image, good, '?rules=avatar'));
  await assertEverywhere('ERR_POLICY_UNKNOWN', post(image, good, '?policy=strict'));
  await assertEverywhere('ERR_MODEL_UNAVAILABLE', post(image, good, '?model=broken'));
  await assertEverywhere('ERR_DEADLINE', post({ ...image, 'X-Request-Timeout-Ms': '1' }, good));
  await assertEverywhere('ERR_NOT_FOUND', { method: 'GET', url: `${service.url}/nowhere`, headers: {} });
  await assertEverywhere('ERR_METHOD_NOT_ALLOWED', { method: 'GET', url, headers: {} });
  assert.ok((await service.health()).workers.every(({ restarts }) => restarts === 0));
});

test('an_upload_that_stands_still_is_answered_408', async (context) => {
  const service = await startService(context, { args: ['--set', 'upload.idleTimeoutMs=300'] });
  const bodyFile = path.join(makeTempDir(context), 'photo.jpg');
  writeFileSync(bodyFile, await makePhoto());
  const asked = { method: 'POST', url: `${service.url}/v1/check`, headers: image, bodyFile, pauseMs: 1000 } as const;
  const answer = await askByUrllib(asked);
  assertProblem('ERR_UPLOAD_TIMEOUT', answer.status, JSON.parse(answer.body) as VerdictBody);
});

test('a_full_byte_budget_is_answered_429', async (context) => {
  const photo = await makePhoto();
  const held = await makePlain(255, 200);
  const budget = `upload.maxBufferedBytes=${String(photo.length)}`;
  const patience = ['--set', 'check.deadlineMs=60000', '--set', 'supervisor.stuckMs=30000'];
  const service = await startPoisonedService(context, ['--workers', '1', '--set', budget, ...patience]);
  const bodyFile = path.join(makeTempDir(context), 'photo.jpg');
  writeFileSync(bodyFile, photo);
  void postRaw(service.url, held).catch(() => undefined);
  await waitFor(
    async () => (await readTotal(service.opsUrl, 'image_check_step_duration_seconds_count', 'upload')) === 1,
  );
  await assertEverywhere('ERR_OVERLOADED', {
    method: 'POST',
    url: `${service.url}/v1/check`,
    headers: image,
    bodyFile,
  });
});

test('a_request_that_comes_while_draining_is_answered_503', async (context) => {
  const service = await startService(context, { args: ['--workers', '1'] });
  const late = connect(service.port, '127.0.0.1');
  context.after(() => late.destroy());
  let received = '';
  late.setEncoding('utf8').on('data', (text: string) => (received += text));
  late.write('POST /v1/check HTTP/1.1\r\nHost: x\r\n');
  await holdUpload(context, service, 'Content-Length: 1000');
  service.process.kill('SIGTERM');
  await waitFor(async () => (await fetch(`${service.opsUrl}/readyz`).catch(() => undefined))?.status === 503);
  late.write('Content-Type: image/jpeg\r\nContent-Length: 1\r\n\r\nx');
  await waitFor(() => received.includes('ERR_DRAINING'));
  assert.match(received, /^HTTP\/1\.1 503 /);
  assert.match(received, /^connection: close\r$/im);
  seen.add('ERR_DRAINING');
});

test('an_image_that_tensorflow_does_not_return_is_answered_503_and_quarantined_after_the_second_time', async (context) => {
  const service = await startPoisonedService(context, ['--set', 'supervisor.stuckMs=1500']);
  const dir = makeTempDir(context);
  const toAsked = (bodyFile: string) =>
    ({ method: 'POST', url: `${service.url}/v1/check`, headers: image, bodyFile }) as const;
  const bodyFile = path.join(dir, 'white.jpg');
  for (const [index, assertBy] of clients.entries()) {
    // Each client sends a picture of its own: the same one would be refused the third time.
    writeFileSync(bodyFile, await makePlain(255, 100 + index));
    await assertBy('ERR_WORKER_STUCK', toAsked(bodyFile));
  }
  assert.equal((await postRaw(service.url, readFileSync(bodyFile))).body.code, 'ERR_WORKER_STUCK');
  await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_suspects', 'state="quarantined"')) === 1);
  await assertEverywhere('ERR_IMAGE_QUARANTINED', toAsked(bodyFile));
});

test('a_model_that_fails_while_it_runs_is_answered_500_without_its_stack', async (context) => {
  const dir = makeTempDir(context);
  const manifest = { format: 'tfjs-graph', golden: [] };
  await writeColourModel(dir, { name: 'quality', files: makeNanGraph(), manifest });
  const service = await startService(context, { args: ['--models', dir, '--workers', '1'] });
  const bodyFile = path.join(dir, 'white.jpg');
  writeFileSync(bodyFile, await makePlain(255));
  await assertEverywhere('ERR_INTERNAL', {
    method: 'POST',
    url: `${service.url}/v1/check`,
    headers: image,
    bodyFile,
  });
  const { body } = await postRaw(service.url, readFileSync(bodyFile));
  assert.doesNotMatch(JSON.stringify(body), /node_modules|\bat \w+ \(|\.js:/);
  await waitFor(() => /an image failed unexpectedly/.test(service.stderr()));
  assert.equal((await postRaw(service.url, await makePlain(0))).status, 200);
});

test('decoding_that_runs_out_of_time_is_told_to_every_client', async (context) => {
  const dir = makeTempDir(context);
  const settings = ['image.decodeTimeoutMs=100', 'image.maxDecodeBytes=1073741824'];
  const service = await startService(context, { args: settings.flatMap((setting) => ['--set', setting]) });
  const bodyFile = path.join(dir, 'slow.avif');
  for (const [index, assertBy] of clients.entries()) {
    // Twice the same would be quarantined. Two kilobytes that take half a second.
    const slow = drawPlain([64, 128, 160 + index], 4900, 4900).avif({ effort: 0 });
    writeFileSync(bodyFile, await slow.toBuffer());
    await assertBy('ERR_DECODE_TIMEOUT', { method: 'POST', url: `${service.url}/v1/check`, headers: image, bodyFile });
  }
});

test('every_code_was_sent_by_a_real_request', () => {
  assert.deepEqual(
    errorCodes.filter((code) => !seen.has(code)),
    [],
  );
});

/** Starts an upload that never ends, and waits until the worker has it in flight. */
async function holdUpload(context: test.TestContext, service: Service, header: string): Promise<{ destroy(): void }> {
  const socket = connect(service.port, '127.0.0.1');
  context.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(`POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n${header}\r\n\r\nx`);
  await waitFor(async () => (await service.health()).workers.some(({ inFlight }) => inFlight > 0));
  return socket;
}
