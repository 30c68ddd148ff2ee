import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import { compileAccessFormat } from '../../src/http/access-format.ts';
import type { AccessRecord } from '../../src/http/access-record.ts';

const worker = { slot: 2, pid: 77 };
const startedAt = new Date(2026, 10, 3, 4, 5, 6, 789);
const record: AccessRecord = {
  clientAddress: '::ffff:192.0.2.1',
  clientPort: 40_000,
  method: 'POST',
  uri: '/v1/check?model=quality',
  protocol: 'HTTP/1.1',
  requestHeaders: {
    host: 'images.example',
    'user-agent': 'curl/8',
    referer: 'https://example.org/',
    'content-length': '1234',
    'content-type': 'image/png',
    'x-request-id': 'abc',
    'set-cookie': ['a', 'b'],
  },
  requestHeaderCount: 6,
  status: 200,
  bodyBytes: 300,
  headerBytes: 120,
  headerCount: 9,
  startedAtEpochMs: startedAt.getTime(),
  durationMs: 12.3456,
  variables: new Map<string, string | number>([
    ['model', 'quality'],
    ['score', 0.9713],
    ['queue_ms', 0],
  ]),
};

const format = (text: string, changes: Partial<AccessRecord> = {}) =>
  compileAccessFormat(text, worker)({ ...record, ...changes });

const offset = /GMT([+-]\d{4})/.exec(startedAt.toString())?.[1] ?? '';
const seconds = Math.floor(startedAt.getTime() / 1000);

const variables: readonly [string, string][] = [
  ['uri', '/v1/check?model=quality'],
  ['method', 'POST'],
  ['user', '-'],
  ['addr', '192.0.2.1'],
  ['host', 'images.example'],
  ['proto', 'HTTP/1.1'],
  ['uagent', 'curl/8'],
  ['referer', 'https://example.org/'],
  ['status', '200'],
  ['rsize', '300'],
  ['hsize', '120'],
  ['size', '420'],
  ['cl', '1234'],
  ['micros', '12346'],
  ['msecs', '12'],
  ['secs', '0.012346'],
  ['time', String(seconds)],
  ['tmsecs', String(startedAt.getTime())],
  ['tmicros', `${String(startedAt.getTime())}000`],
  ['ltime', `03/Nov/2026:04:05:06 ${offset}`],
  ['ftime', `03/Nov/2026:04:05:06 ${offset}`],
  ['ctime', 'Tue Nov  3 04:05:06 2026'],
  ['pid', '77'],
  ['wid', '2'],
  ['core', '0'],
  ['switches', '0'],
  ['vars', '6'],
  ['pktsize', '0'],
  ['modifier1', '0'],
  ['modifier2', '0'],
  ['headers', '9'],
  ['vsz', '0'],
  ['vszM', '0'],
  ['rerr', '0'],
  ['werr', '0'],
  ['ioerr', '0'],
  ['metric.anything', '-'],
  ['var.HTTP_X_REQUEST_ID', 'abc'],
  ['var.HTTP_SET_COOKIE', 'a, b'],
  ['var.HTTP_ABSENT', '-'],
  ['var.CONTENT_TYPE', 'image/png'],
  ['var.CONTENT_LENGTH', '1234'],
  ['var.PATH_INFO', '/v1/check'],
  ['var.QUERY_STRING', 'model=quality'],
  ['var.REMOTE_ADDR', '192.0.2.1'],
  ['var.REMOTE_PORT', '40000'],
  ['var.REQUEST_METHOD', 'POST'],
  ['var.REQUEST_URI', '/v1/check?model=quality'],
  ['var.SERVER_PROTOCOL', 'HTTP/1.1'],
  ['var.HOME', '-'],
  ['model', 'quality'],
  ['score', '0.9713'],
  ['queue_ms', '0'],
  ['label', '-'],
  ['constructor', '-'],
  ['', '-'],
];
for (const [name, expected] of variables) {
  test(`%(${name}) is ${expected}`, () => {
    assert.equal(format(`<%(${name})>`), `<${expected}>`);
  });
}

test('what_counts_now_is_now_epoch_and_resident_memory', () => {
  assert.ok(Math.abs(Number(format('%(epoch)')) - Date.now() / 1000) < 5);
  assert.ok(Number(format('%(rss)')) > 1_000_000);
  assert.ok(Number(format('%(rssM)')) > 1);
});

test('the_default_format_is_the_combined_one_with_milliseconds', () => {
  assert.equal(
    format(configSchema.parse({}).log.accessFormat),
    `192.0.2.1 - - [03/Nov/2026:04:05:06 ${offset}] "POST /v1/check?model=quality HTTP/1.1" 200 420 "https://example.org/" "curl/8" 12ms`,
  );
});

test('uWSGI_s_own_default_line_comes_out_whole', () => {
  const line =
    '[pid: %(pid)|app: -|req: -/-] %(addr) (%(user)) {%(vars) vars in %(pktsize) bytes} [%(ctime)] %(method) %(uri) => ' +
    'generated %(rsize) bytes in %(msecs) msecs (%(proto) %(status)) %(headers) headers in %(hsize) bytes (%(switches) switches on core %(core))';
  assert.equal(
    format(line),
    '[pid: 77|app: -|req: -/-] 192.0.2.1 (-) {6 vars in 0 bytes} [Tue Nov  3 04:05:06 2026] POST /v1/check?model=quality => ' +
      'generated 300 bytes in 12 msecs (HTTP/1.1 200) 9 headers in 120 bytes (0 switches on core 0)',
  );
});

test('what_is_no_variable_stands_for_itself', () => {
  assert.equal(format('100% %s %(status) %(unfinished'), '100% %s 200 %(unfinished');
});

test('no_header_can_end_its_line_its_quotes_or_hide_in_control_characters', () => {
  const requestHeaders = { 'user-agent': 'a"b\\c\r\nd\te\u0085\u001b[31m', referer: 'caf\u00c3\u00a9' };
  assert.equal(
    format('"%(uagent)" %(referer)', { requestHeaders }),
    String.raw`"a\"b\\c\x0d\x0ad\x09e\x85\x1b[31m" caf\xc3\xa9`,
  );
  assert.equal(
    format('%(label)', { variables: new Map([['label', '写\u2028']]) }),
    String.raw`\xe5\x86\x99\xe2\x80\xa8`,
  );
});

test('a_connection_without_a_request_has_a_line_of_dashes', () => {
  const changes = {
    method: undefined,
    uri: undefined,
    protocol: undefined,
    requestHeaders: {},
    clientAddress: undefined,
  };
  assert.equal(format('%(addr) "%(method) %(uri) %(proto)" %(cl) %(var.PATH_INFO)', changes), '- "- - -" 0 -');
});
