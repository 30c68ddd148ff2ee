import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type OpsAnswer, opsPaths } from '../../src/ipc/messages.ts';
import { type RunningService, type ServiceOptions, startHttpServer } from './running-service.ts';

let service: RunningService | undefined;
afterEach(() => service?.close());

async function start(options: ServiceOptions): Promise<RunningService> {
  return (service = await startHttpServer(options));
}

const toAnswer = (body: string, status = 200): OpsAnswer => ({
  status,
  contentType: 'text/plain; version=0.0.4',
  body,
});

for (const path of opsPaths) {
  test(`${path} is what the primary says, for GET and HEAD`, async () => {
    const { url } = await start({ askPrimary: (asked) => Promise.resolve(toAnswer(`said of ${asked}`, 503)) });
    const reply = await fetch(`${url}${path}`);
    assert.deepEqual([reply.status, await reply.text()], [503, `said of ${path}`]);
    assert.equal(reply.headers.get('content-type'), 'text/plain; version=0.0.4');
    assert.equal(reply.headers.get('cache-control'), 'no-store');
    assert.equal(reply.headers.get('age'), null);
    const head = await fetch(`${url}${path}`, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [503, '']);
    assert.equal(head.headers.get('content-length'), String(Buffer.byteLength(`said of ${path}`)));
  });
}

test('while_the_primary_is_silent_its_last_answer_is_given_within_half_a_second_with_its_age', async () => {
  let isSilent = false;
  const { url } = await start({
    askPrimary: () => (isSilent ? new Promise(() => {}) : Promise.resolve(toAnswer('fresh'))),
  });
  assert.equal(await (await fetch(`${url}/health`)).text(), 'fresh');
  isSilent = true;
  const startedAt = performance.now();
  const reply = await fetch(`${url}/health`);
  const tookMs = performance.now() - startedAt;
  assert.deepEqual([reply.status, await reply.text(), reply.headers.get('age')], [200, 'fresh', '0']);
  assert.ok(tookMs >= 490 && tookMs < 2000, String(tookMs));
  isSilent = false;
  assert.equal((await fetch(`${url}/health`)).headers.get('age'), null);
});

test('the_last_answer_of_one_path_is_not_given_for_another_without_any_the_answer_is_504', async () => {
  let isGone = false;
  const { url } = await start({
    askPrimary: () => (isGone ? Promise.reject(new Error('channel closed')) : Promise.resolve(toAnswer('fresh'))),
  });
  await (await fetch(`${url}/livez`)).text();
  isGone = true;
  assert.equal((await fetch(`${url}/livez`)).headers.get('age'), '0');
  const reply = await fetch(`${url}/metrics`);
  assert.equal(reply.status, 504);
  assert.equal(((await reply.json()) as { code: string }).code, 'ERR_DEADLINE');
});

test('an_answer_that_comes_too_late_harms_nobody', async () => {
  const { url, events } = await start({
    askPrimary: () => new Promise((_resolve, reject) => setTimeout(reject, 600, new Error('late'))),
  });
  assert.equal((await fetch(`${url}/livez`)).status, 504);
  assert.equal((await fetch(`${url}/livez`)).status, 504);
  assert.ok(events.every((line) => !line.includes('"level":50')));
});

test('operations_pages_are_404_where_they_are_not_wanted_on_the_public_port', async () => {
  const { url } = await start({
    config: { ops: { onPublicPort: false } },
    askPrimary: () => Promise.resolve(toAnswer('fresh')),
  });
  for (const path of opsPaths) assert.equal((await fetch(`${url}${path}`)).status, 404);
});
