import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { RuleResult } from '../../src/check/types.ts';
import { openRawClient } from '../fixtures/raw-client.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import {
  multipartType,
  type RunningService,
  startHttpServer,
  toChecked,
  toMultipart,
  toPart,
} from './running-service.ts';

let service: RunningService | undefined;
afterEach(() => service?.close());

const image = toPart('name="image"; filename="a.jpg"');
const rules = (value: string) => toPart('name="rules"', value);
const policy = (value: string) => toPart('name="policy"', value);

function post({ url }: RunningService, query: string, ...parts: Buffer[]): Promise<Response> {
  const body = new Uint8Array(toMultipart(...parts));
  return fetch(`${url}/v1/check${query}`, { method: 'POST', headers: { 'Content-Type': multipartType }, body });
}

const asked: [string, string, Buffer[], string[], string | undefined][] = [
  ['nothing', '', [image], [], undefined],
  ['a profile in the query', '?rules=avatar', [image], ['avatar'], undefined],
  ['a profile in the form', '', [rules('avatar'), image], ['avatar'], undefined],
  ['profiles in both', '?rules=a,%20b&rules=c', [image, rules(' d , a')], ['a', 'b', 'c', 'd'], undefined],
  ['an empty field', '?rules=&policy=', [rules(''), policy(' '), image], [], undefined],
  ['a policy in the query', '?policy=strict', [image], [], 'strict'],
  ['a policy in the form', '', [image, policy(' strict ')], [], 'strict'],
  ['the same policy in both', '?policy=strict', [policy('strict'), image], [], 'strict'],
  ['a policy in the form beside an empty query', '?policy=', [policy('own'), image], [], 'own'],
];
for (const [what, query, parts, expectedRules, expectedPolicy] of asked) {
  test(`a request with ${what} asks for ${JSON.stringify([expectedRules, expectedPolicy])}`, async () => {
    const running = (service = await startHttpServer());
    const reply = await post(running, query, ...parts);
    assert.equal(reply.status, 200, await reply.text());
    const [request] = running.requests;
    assert.deepEqual([request?.rules, request?.policy], [expectedRules, expectedPolicy]);
  });
}

test('a_raw_body_is_asked_about_by_the_query', async () => {
  service = await startHttpServer();
  const init = { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: 'pixels' };
  assert.equal((await fetch(`${service.url}/v1/check?rules=avatar&policy=strict`, init)).status, 200);
  const [request] = service.requests;
  assert.deepEqual([request?.rules, request?.policy], [['avatar'], 'strict']);
});

const wrong: [string, string, Buffer[], RegExp][] = [
  ['two policies in the query', '?policy=strict&policy=lenient', [image], /both "strict" and "lenient"/],
  ['two policies in the form', '', [policy('a'), image, policy('b')], /both "a" and "b"/],
  ['another policy in the form', '?policy=strict', [image, policy('lenient')], /both "strict" and "lenient"/],
  ['a policy that is no text', '', [image, toPart('name="policy[a]"', '1')], /did you mean "policy"/],
  ['a rule', '?rule=avatar', [image], /did you mean "rules"/],
  ['policies', '?policies=strict', [image], /did you mean "policy"/],
];
for (const [what, query, parts, detail] of wrong) {
  test(`${what} is ERR_REQUEST_INVALID and nothing is checked`, async () => {
    const running = (service = await startHttpServer());
    const reply = await post(running, query, ...parts);
    const body = (await reply.json()) as Record<string, unknown>;
    assert.deepEqual([reply.status, body['code']], [400, 'ERR_REQUEST_INVALID']);
    assert.match(String(body['detail']), detail);
    assert.equal(running.requests.length, 0);
  });
}

test('two_policies_of_the_query_are_refused_before_the_body_is_read', async () => {
  const running = (service = await startHttpServer());
  const { socket, received } = openRawClient(running.port);
  const head = ['Host: x', 'Content-Type: image/png', 'Content-Length: 1000'];
  socket.write(`POST /v1/check?policy=a&policy=b HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
  await waitFor(() => received().includes('ERR_REQUEST_INVALID'), 'an early answer');
  assert.match(received(), /^HTTP\/1\.1 400 /);
  socket.destroy();
  await waitFor(async () => (await running.accessLines()).length === 1, 'the access line');
});

const broken: readonly RuleResult[] = [
  { rule: 'minWidth', limit: 200, actual: 640, verdict: 'accept' },
  { rule: 'formats', limit: ['png'], actual: 'jpeg', verdict: 'reject' },
  { rule: 'too_small', limit: 60, actual: 16, verdict: 'review', model: 'quality' },
];

test('rules_are_written_beside_the_checks_and_a_policy_into_each_of_them_and_only_where_there_are_any', async () => {
  const check = { model: 'm', version: '1', engine: 'wasm', policy: 'strict', verdict: 'review', labels: [] } as const;
  service = await startHttpServer({
    check: ({ images: [one, other] }) =>
      Promise.resolve({
        verdict: 'reject',
        images: [
          ...(one ? [toChecked(one, { verdict: 'reject', rules: broken, checks: [check] })] : []),
          ...(other ? [toChecked(other)] : []),
        ],
      }),
  });
  const reply = await post(service, '', image, image);
  const { images } = (await reply.json()) as { images: Record<string, unknown>[] };
  assert.deepEqual(Object.keys(images[0] ?? {}), ['name', 'verdict', 'image', 'rules', 'checks', 'timingsMs']);
  assert.deepEqual([images[0]?.['rules'], images[0]?.['checks']], [broken, [check]]);
  assert.deepEqual(Object.keys(images[1] ?? {}), ['name', 'verdict', 'image', 'checks', 'timingsMs']);
  assert.doesNotMatch(JSON.stringify(images[1]), /policy/);
});

test('the_access_log_names_the_worst_rule_that_was_broken', async () => {
  let rules = broken;
  service = await startHttpServer({
    config: { log: { accessFormat: '%(status) %(rule)' } },
    check: ({ images }) =>
      Promise.resolve({ verdict: 'reject', images: images.map((each) => toChecked(each, { rules })) }),
  });
  await post(service, '', image);
  rules = broken.filter(({ verdict }) => verdict !== 'reject');
  await post(service, '', image);
  rules = broken.filter(({ verdict }) => verdict === 'accept');
  await post(service, '', image);
  assert.deepEqual(await service.accessLines(), ['200 formats', '200 too_small', '200 -']);
});
