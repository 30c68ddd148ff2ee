import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { LabelMap, LabelResult } from '../../src/check/types.ts';
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
const field = (value: string) => toPart('name="explain"', value);

async function start(): Promise<RunningService> {
  return (service = await startHttpServer());
}

function post({ url }: RunningService, query: string, ...parts: Buffer[]): Promise<Response> {
  const body = new Uint8Array(toMultipart(...parts));
  return fetch(`${url}/v1/check${query}`, { method: 'POST', headers: { 'Content-Type': multipartType }, body });
}

const asked: [string, string, Buffer[], boolean][] = [
  ['nothing', '', [image], false],
  ['1 in the query', '?explain=1', [image], true],
  ['0 in the query', '?explain=0', [image], false],
  ['1 in a form field', '', [field('1'), image], true],
  ['1 in a form field after the image', '', [image, field('1')], true],
  ['0 in a form field', '', [image, field('0')], false],
  ['1 in one of both', '?explain=0&model=a', [image, field('1')], true],
  ['1 in the other of both', '?explain=1', [image, field('0')], true],
];
for (const [what, query, parts, explain] of asked) {
  test(`a request with ${what} ${explain ? 'asks' : 'does not ask'} for maps`, async () => {
    const running = await start();
    const reply = await post(running, query, ...parts);
    assert.equal(reply.status, 200, await reply.text());
    assert.deepEqual(
      running.requests.map((request) => request.explain),
      [explain],
    );
  });
}

test('a_raw_body_is_asked_about_by_the_query', async () => {
  const running = await start();
  const init = { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: 'pixels' };
  assert.equal((await fetch(`${running.url}/v1/check?explain=1`, init)).status, 200);
  assert.equal(running.requests[0]?.explain, true);
});

const wrong: [string, string, Buffer[]][] = [
  ['yes in the query', '?explain=yes', [image]],
  ['an empty value in the query', '?explain', [image]],
  ['true in the query', '?explain=true', [image]],
  ['two values in the query of which one is wrong', '?explain=1&explain=2', [image]],
  ['yes in a form field', '', [image, field('yes')]],
  ['an empty form field', '', [field(''), image]],
  ['a wrong form field beside a right query', '?explain=1', [image, field('on')]],
  ['a form field that is no text', '', [image, toPart('name="explain[a]"', '1')]],
];
for (const [what, query, parts] of wrong) {
  test(`${what} is ERR_REQUEST_INVALID and nothing is checked`, async () => {
    const running = await start();
    const reply = await post(running, query, ...parts);
    const body = (await reply.json()) as Record<string, unknown>;
    assert.deepEqual([reply.status, body['code']], [400, 'ERR_REQUEST_INVALID']);
    assert.match(String(body['detail']), /explain/);
    assert.equal(running.requests.length, 0);
  });
}

test('a_map_is_written_as_the_contract_says_its_scores_rounded_as_the_others_are', async () => {
  const thresholds = { review: 0.5 };
  const scores = [
    [0.123456, 1],
    [0, 0.99996],
  ];
  const toLabel = (label: string, map?: LabelMap): LabelResult => {
    return { label, score: 0.9, thresholds, verdict: 'review', ...(map && { map }) };
  };
  const area = { left: 1 / 6, top: 0, width: 2 / 3, height: 1 };
  const labels = [
    toLabel('whole', { columns: 2, rows: 2, scores }),
    toLabel('part', { columns: 2, rows: 2, scores, area }),
    toLabel('none'),
  ];
  const check = { model: 'm', version: '1', engine: 'wasm', verdict: 'review', labels } as const;
  service = await startHttpServer({
    check: ({ images }) =>
      Promise.resolve({ verdict: 'review', images: images.map((each) => toChecked(each, { checks: [check] })) }),
  });
  const body = (await (await post(service, '?explain=1', image)).json()) as {
    images: { checks: { labels: { map?: unknown }[] }[] }[];
  };
  const rounded = [
    [0.1235, 1],
    [0, 1],
  ];
  assert.deepEqual(
    body.images[0]?.checks[0]?.labels.map(({ map }) => map),
    [
      { columns: 2, rows: 2, scores: rounded },
      { columns: 2, rows: 2, scores: rounded, area: { left: 0.1667, top: 0, width: 0.6667, height: 1 } },
      undefined,
    ],
  );
});
