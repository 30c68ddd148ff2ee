import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type RunningService, sendRaw, startHttpServer, toRawPost } from './running-service.ts';

let service: RunningService | undefined;
afterEach(async () => {
  await service?.close();
  service = undefined;
});

/** Sends a request with the header and gives the address in its access line. */
async function readLoggedAddress(trustProxy: readonly string[], forwarded: string): Promise<string | undefined> {
  const running = (service = await startHttpServer({ config: { server: { trustProxy } } }));
  const headers = ['Content-Type: image/png', 'Content-Length: 6', 'Connection: close'];
  const reply = await sendRaw(running.port, toRawPost([...headers, `X-Forwarded-For: ${forwarded}`], 'pixels'));
  assert.equal(reply.status, 200);
  await waitFor(async () => (await running.accessLines()).length === 1, 'the access line');
  return (await running.accessLines())[0]?.split(' ', 1)[0];
}

for (const [what, trustProxy, forwarded, address] of [
  ['without a trusted proxy a forwarded address is ignored', [], '203.0.113.7', '127.0.0.1'],
  ['a proxy that is not in the list is not believed', ['10.0.0.0/8'], '203.0.113.7', '127.0.0.1'],
  ['a trusted address is believed', ['127.0.0.1'], '203.0.113.7', '203.0.113.7'],
  ['a trusted range is believed, by number or by name', ['loopback'], '2001:db8::7', '2001:db8::7'],
  ['what a client forged before its proxy is ignored', ['127.0.0.0/8'], '1.2.3.4, 203.0.113.7', '203.0.113.7'],
  [
    'a chain of trusted proxies leads to the client',
    ['loopback', '10.0.0.0/8'],
    '1.2.3.4, 203.0.113.7, 10.1.1.1',
    '203.0.113.7',
  ],
  ['one hop leads to the last address', ['1'], '1.2.3.4, 203.0.113.7', '203.0.113.7'],
  ['two hops lead to the one before', ['2'], '1.2.3.4, 203.0.113.7', '1.2.3.4'],
  ['a port behind the address is dropped', ['loopback'], '203.0.113.7:4711', '203.0.113.7'],
  ['a forwarded address that is none is ignored', ['loopback'], 'unknown', '127.0.0.1'],
] as const) {
  test(what, async () => {
    assert.equal(await readLoggedAddress(trustProxy, forwarded), address);
  });
}

test('server_trustProxy_refuses_what_is_neither_addresses_nor_one_number_of_hops', () => {
  for (const trustProxy of [['proxy.example'], ['10.0.0.0/33'], ['1', '10.0.0.1'], ['0'], ['true'], ['']]) {
    assert.equal(configSchema.safeParse({ server: { trustProxy } }).success, false, trustProxy.join());
  }
  for (const trustProxy of [[], [1], ['2'], ['10.0.0.1', 'fc00::/7'], ['uniquelocal', 'linklocal']]) {
    assert.equal(configSchema.safeParse({ server: { trustProxy } }).success, true, trustProxy.join());
  }
});

test('two_Host_headers_are_400', async () => {
  const running = (service = await startHttpServer());
  const headers = ['host: other', 'Content-Type: image/png', 'Content-Length: 6', 'Connection: close'];
  const { status, body } = await sendRaw(running.port, toRawPost(headers, 'pixels'));
  assert.equal(status, 400);
  assert.equal((JSON.parse(body) as { code: string }).code, 'ERR_REQUEST_INVALID');
});

test('CONNECT_is_answered_405_with_Allow', async () => {
  const running = (service = await startHttpServer());
  const { text } = await sendRaw(running.port, 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 405 [^]*\r\nAllow: GET, HEAD, POST, OPTIONS\r\n[^]*"code":"ERR_METHOD_NOT_ALLOWED"/);
});

test('a_request_before_CONNECT_is_answered_and_the_connection_closes_behind_it', async () => {
  const running = (service = await startHttpServer());
  const first = toRawPost(['Content-Type: image/png', 'Content-Length: 6'], 'pixels');
  const connect = 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n';
  const { text } = await sendRaw(running.port, Buffer.concat([first, Buffer.from(connect)]));
  assert.match(text, /^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n/);
});

test('control_characters_that_turn_the_direction_of_text_are_not_echoed', async () => {
  const running = (service = await startHttpServer());
  const response = await fetch(`${running.url}/v1/check?model=a%E2%80%AEb%00c`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/png' },
    body: 'pixels',
  });
  assert.doesNotMatch(await response.text(), /[\u202E\0]|\\u0000/);
});
