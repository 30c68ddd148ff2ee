import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { errorTable } from '../../src/error-table.ts';
import { type ErrorCode, errorCodes, ServiceError } from '../../src/errors.ts';
import { findForeignClients, type ForeignClient } from '../fixtures/foreign-clients.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { type RunningService, sendRaw, startHttpServer } from './running-service.ts';

let service: RunningService | undefined;
afterEach(() => service?.close());

const contract: Record<string, number> = {
  ERR_UPLOAD_MISSING: 400,
  ERR_UPLOAD_MALFORMED: 400,
  ERR_UPLOAD_FIELD: 400,
  ERR_REQUEST_INVALID: 400,
  ERR_UPLOAD_TIMEOUT: 408,
  ERR_UPLOAD_TOO_LARGE: 413,
  ERR_CONTENT_TYPE: 415,
  ERR_IMAGE_UNSUPPORTED: 415,
  ERR_IMAGE_CORRUPT: 422,
  ERR_IMAGE_TOO_MANY_PIXELS: 422,
  ERR_IMAGE_TOO_COSTLY: 422,
  ERR_IMAGE_QUARANTINED: 422,
  ERR_DECODE_TIMEOUT: 503,
  ERR_MODEL_UNKNOWN: 404,
  ERR_MODEL_UNAVAILABLE: 503,
  ERR_RULES_UNKNOWN: 404,
  ERR_POLICY_UNKNOWN: 404,
  ERR_WORKER_STUCK: 503,
  ERR_OVERLOADED: 429,
  ERR_DEADLINE: 504,
  ERR_NOT_FOUND: 404,
  ERR_METHOD_NOT_ALLOWED: 405,
  ERR_DRAINING: 503,
  ERR_INTERNAL: 500,
};

test('every_code_leaves_with_the_status_of_the_contract', () => {
  const statuses = Object.fromEntries(errorCodes.map((code) => [code, errorTable[code].status]));
  assert.deepEqual(statuses, contract);
});

test('what_the_product_throws_leaves_as_a_problem_document_and_every_client_sees_the_same_status', async (context) => {
  const running = await startHttpServer({
    // The model that was asked for says what to throw.
    check: ({ models: [code] }) => Promise.reject(new ServiceError(code as ErrorCode, 'a detail "quoted" – ü')),
  });
  service = running;
  const foreignClients = await findForeignClients();
  const bodyFile = path.join(makeTempDir(context), 'body');
  writeFileSync(bodyFile, 'pixels');
  const ask = async (code: ErrorCode, name: string, client: ForeignClient) => {
    const { status, body } = await client({
      url: `${running.url}/v1/check?model=${code}`,
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      bodyFile,
    });
    const problem = JSON.parse(body) as Record<string, unknown>;
    const { status: expectedStatus, title } = errorTable[code];
    assert.deepEqual([status, problem['code'], problem['title']], [expectedStatus, code, title], name);
    assert.equal(problem['detail'], 'a detail "quoted" – ü');
  };
  await Promise.all(errorCodes.flatMap((code) => [...foreignClients].map(([name, client]) => ask(code, name, client))));
  const metrics = await running.registry.metrics();
  for (const code of errorCodes) {
    assert.ok(metrics.includes(`image_check_errors_total{error="${code}"} ${String(foreignClients.size)}\n`), code);
  }
});

test('retry_After_says_what_the_error_says_rounded_up_and_1_where_it_says_nothing', async () => {
  let retryAfterSeconds: number | undefined = 2.3;
  service = await startHttpServer({
    check: () =>
      Promise.reject(
        new ServiceError(
          'ERR_MODEL_UNAVAILABLE',
          'later',
          retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
        ),
      ),
  });
  const ask = async (url: string) => {
    const reply = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: 'x' });
    return reply.headers.get('retry-after');
  };
  assert.equal(await ask(`${service.url}/v1/check`), '3');
  retryAfterSeconds = undefined;
  assert.equal(await ask(`${service.url}/v1/check`), '1');
});

test('a_bug_is_500_its_stack_goes_to_the_log_under_the_request_id_and_never_to_the_client', async () => {
  service = await startHttpServer({
    check: () => {
      throw new TypeError('secret of the house');
    },
  });
  const reply = await fetch(`${service.url}/v1/check`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/png', 'X-Request-Id': 'bug-1' },
    body: 'x',
  });
  const text = await reply.text();
  assert.equal(reply.status, 500);
  assert.doesNotMatch(text, /secret|TypeError|at /);
  const event = service.events.find((line) => line.includes('secret of the house')) ?? '';
  assert.match(event, /"requestId":"bug-1"/);
  assert.match(event, /error-table\.test\.ts/);
});

for (const path of ['/%zz', '/v1/%E0%A4%A', '/v1/check?model=%', '/%ff']) {
  test(`${path} does not decode and is 400`, async () => {
    service = await startHttpServer();
    const { status, body } = await requestPath(service, path);
    assert.deepEqual([status, toCode(body)], [400, 'ERR_REQUEST_INVALID']);
  });
}

for (const path of ['/', '/nowhere', '/v1', '/v1/check/more', '//v1/check', '/../etc/passwd', '/%00', '/__proto__']) {
  test(`${path} is 404, counted as other`, async () => {
    service = await startHttpServer();
    const { status, body } = await requestPath(service, path);
    assert.deepEqual([status, toCode(body)], [404, 'ERR_NOT_FOUND']);
    assert.match(await service.registry.metrics(), /http_requests_total\{route="other",method="GET",code="404"\} 1/);
  });
}

test('a_request_without_Host_is_400_in_HTTP_1.1_and_served_in_HTTP_1.0', async () => {
  service = await startHttpServer();
  const modern = await sendRaw(service.port, 'GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.deepEqual([modern.status, toCode(modern.body)], [400, 'ERR_REQUEST_INVALID']);
  assert.match((await sendRaw(service.port, 'GET /nowhere HTTP/1.0\r\n\r\n')).text, /404 Not Found/);
});

test('a_wrong_method_is_405_with_Allow_OPTIONS_tells_it_and_an_unknown_method_is_not_a_label', async () => {
  service = await startHttpServer({ askPrimary: () => Promise.reject(new Error('silent')) });
  const ask = (path: string, method: string) => fetch(`${service?.url ?? ''}${path}`, { method });
  for (const [path, method, allow] of [
    ['/v1/check', 'GET', 'POST, OPTIONS'],
    ['/v1/check', 'HEAD', 'POST, OPTIONS'],
    ['/v1/check', 'DELETE', 'POST, OPTIONS'],
    ['/v1/check', 'PROPFIND', 'POST, OPTIONS'],
    ['/livez', 'POST', 'GET, HEAD, OPTIONS'],
    ['/metrics', 'PUT', 'GET, HEAD, OPTIONS'],
  ] as const) {
    const reply = await ask(path, method);
    assert.deepEqual([reply.status, reply.headers.get('allow')], [405, allow], `${method} ${path}`);
    if (method !== 'HEAD') assert.equal(((await reply.json()) as { code: string }).code, 'ERR_METHOD_NOT_ALLOWED');
  }
  const options = await ask('/v1/check', 'OPTIONS');
  assert.deepEqual([options.status, options.headers.get('allow')], [204, 'POST, OPTIONS']);
  assert.match(await service.registry.metrics(), /route="\/v1\/check",method="other",code="405"\} 1/);
});

test('helmet_is_on_and_does_not_send_browsers_to_TLS', async () => {
  service = await startHttpServer();
  const { headers } = await fetch(`${service.url}/nowhere`);
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'self'/);
  assert.doesNotMatch(headers.get('content-security-policy') ?? '', /upgrade-insecure-requests/);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('x-powered-by'), null);
});

function requestPath({ port }: RunningService, path: string): Promise<{ status: number; body: string }> {
  return sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
}

function toCode(body: string): unknown {
  return (JSON.parse(body) as { code?: unknown }).code;
}
