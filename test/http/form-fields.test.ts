import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { assertRefused, image, post, type ProblemBody, startFormService, toOddPart } from './odd-parts.ts';
import { type RunningService, sendRaw, toMultipart, toPart, toRawPost } from './running-service.ts';

let service: RunningService;
before(async () => {
  service = await startFormService();
});
after(() => service.close());
beforeEach(() => service.requests.splice(0));

const good = toPart('name="image"; filename="good.jpg"', 'good');

const modelHeaders = [
  'Content-Disposition: form-data; name="model"',
  'Content-Disposition: form-data; name="model";',
  'Content-Disposition: form-data; name=model',
  'Content-Disposition: attachment; name="model"',
  'Content-Disposition: form-data; name="model"; filename=""',
  'Content-Disposition: form-data; name="model"\r\nContent-Type: application/octet-stream',
  'Content-Disposition: form-data; name="model"\r\nContent-Type: text/plain; charset=shift_jis',
  'Content-Disposition: form-data; name="model"\r\nContent-Type: text/plain;charset=no-such-charset',
  'Content-Disposition: form-data; name="model"\r\nContent-Type: text/plain; charset=',
  'Content-Disposition: form-data; name="model"\r\nContent-Transfer-Encoding: 8bit\r\nContent-Length: 6',
];
for (const header of modelHeaders) {
  test(`the field model is read: ${JSON.stringify(header)}`, async () => {
    const { status } = await post(service, toOddPart(header, Buffer.from('strict')), good);
    assert.equal(status, 200);
    assert.deepEqual(service.requests[0]?.models, ['strict']);
  });
}

test('the_field_model_in_an_encoding_that_is_not_read_is_refused_not_lost', async () => {
  const header = 'Content-Disposition: form-data; name="model"\r\nContent-Transfer-Encoding: base64';
  await assertRefused(service, [toOddPart(header), good], 'ERR_UPLOAD_MALFORMED', /"base64" is not supported/);
});

test('other_text_fields_are_ignored_whatever_their_size_number_and_name', async () => {
  const fields = [
    toPart('name="__VIEWSTATE"', 'A'.repeat(2_000_000)),
    toPart('name="metadata"', JSON.stringify({ text: 'x'.repeat(5000) }), 'application/json'),
    toPart(`name="${'n'.repeat(5000)}"`),
    toPart('name="a[4000000000]"'),
    toPart(`name="a${'[b]'.repeat(50)}"`),
    toPart('name="__proto__"'),
    toPart('name="model_year"'),
    toPart('name="mode"'),
    ...Array.from({ length: 500 }, (_, index) => toPart(`name="field-${String(index)}"`)),
  ];
  const { status, body } = await post(service, ...fields, toPart('name="explain"', '1'), good);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([service.requests[0]?.models, service.requests[0]?.explain], [[], true]);
});

test('a_form_of_more_than_1_000_parts_is_refused', async () => {
  const fields = Array.from({ length: 1000 }, (_, index) => toPart(`name="field-${String(index)}"`));
  await assertRefused(service, [...fields, good], 'ERR_UPLOAD_FIELD', /more than 1000 parts/);
});

for (const name of [
  'models',
  'Model',
  'MODEL',
  'model[]',
  'model[0]',
  'models[]',
  ' model',
  'model:',
  'ｍodel',
  'explain[]',
  'Explains',
  'rule',
  'Rules[]',
  'policies',
  'Policy',
]) {
  test(`a field or parameter ${JSON.stringify(name)} is refused, not ignored`, async () => {
    const detail = /is unknown; did you mean "(?:model|explain|rules|policy)"/;
    await assertRefused(service, [toPart(`name="${name}"`, '1'), good], 'ERR_REQUEST_INVALID', detail);
    const query = new URLSearchParams({ [name]: '1' }).toString();
    const headers = { 'Content-Type': 'image/png' };
    const reply = await fetch(`${service.url}/v1/check?${query}`, { method: 'POST', headers, body: 'x' });
    assert.deepEqual([reply.status, ((await reply.json()) as ProblemBody).code], [400, 'ERR_REQUEST_INVALID']);
  });
}

test('a_text_field_that_resembles_image_is_refused', async () => {
  for (const name of ['images', 'image[]', 'Image']) {
    await assertRefused(service, [toPart(`name="${name}"`), good], 'ERR_REQUEST_INVALID', /did you mean "image"/);
  }
});

const types: [string, string][] = [
  ['multipart/form-data; boundary=limit;', 'limit'],
  ['multipart/form-data;boundary="limit" ; charset=utf-8 ;', 'limit'],
  ['Multipart/Form-Data; charset=UTF-8; Boundary=limit', 'limit'],
  ['multipart/form-data; boundary=----=_Part_4:5/6@host', '----=_Part_4:5/6@host'],
  ['multipart/form-data; boundary="a b\'()+_,-./:=?"', "a b'()+_,-./:=?"],
  ['multipart/form-data; boundary="q\\"q"', 'q"q'],
  [`multipart/form-data; boundary=${'b'.repeat(200)}`, 'b'.repeat(200)],
  ['multipart/form-data; boundary=x; boundary=x', 'x'],
];
for (const [type, boundary] of types) {
  test(`a form is read whose type is ${type.slice(0, 70)}`, async () => {
    const body = toMultipart(good, toOddPart(image)).toString('latin1').replaceAll('--limit', `--${boundary}`);
    const reply = await fetch(`${service.url}/v1/check`, { method: 'POST', headers: { 'Content-Type': type }, body });
    assert.equal(reply.status, 200, await reply.text());
    assert.equal(service.requests[0]?.images.length, 2);
  });
}

test('a_form_with_two_different_boundaries_is_refused', async () => {
  const headers = { 'Content-Type': 'multipart/form-data; boundary=limit; boundary=other' };
  const reply = await fetch(`${service.url}/v1/check`, { method: 'POST', headers, body: toMultipart(good) });
  assert.deepEqual([reply.status, ((await reply.json()) as ProblemBody).code], [400, 'ERR_UPLOAD_MALFORMED']);
});

for (const coding of ['', 'identity', ' Identity ']) {
  test(`Content-Encoding ${JSON.stringify(coding)} leaves a body as it is`, async () => {
    const headers = [
      'Content-Type: image/png',
      `Content-Encoding: ${coding}`,
      'Content-Length: 1',
      'Connection: close',
    ];
    assert.equal((await sendRaw(service.port, toRawPost(headers, 'x'))).status, 200);
  });
}
