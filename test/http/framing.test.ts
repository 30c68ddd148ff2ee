import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Framing } from '../../src/http/form/framing.ts';

const boundary = 'XX';

/** Header and content of each part, as the framing tells them of a body that comes in the given pieces. */
function frame(pieces: readonly Buffer[]): [header: string, content: string][] {
  const parts: [string, string][] = [];
  const framing = new Framing(boundary, {
    openPart: (block) => parts.push([block.toString('latin1'), '']),
    content: (bytes) => {
      const part = parts.at(-1);
      assert.ok(part !== undefined && bytes.length > 0);
      part[1] += bytes.toString('latin1');
    },
  });
  for (const piece of pieces) framing.push(piece);
  framing.end();
  return parts;
}

function cut(body: Buffer, ...at: number[]): Buffer[] {
  const ends = [0, ...at, body.length];
  return ends.slice(1).map((end, index) => body.subarray(ends[index], end));
}

const toBytes = (...lines: string[]) => Buffer.from(lines.join('\r\n'), 'latin1');

const tricky: [string, string][] = [
  ['A: 1', 'a\r\n--X\r\n-\r\n--XY\r\n--XX-\r\r\n\n--X'],
  ['B: 2\r\nC: 3', ''],
  ['D: 4', '\r\n\r\n'],
  ['E: 5', 'e --XX'],
];
const trickyBody = toBytes(
  'a preamble',
  ...tricky.flatMap(([header, content]) => ['--XX \t', header, '', content]),
  '--XX--  ',
  'an epilogue\r\n--XX--\r\n',
);

test('contents_that_look_like_delimiters_arrive_whole_wherever_the_body_is_cut', () => {
  assert.deepEqual(frame([trickyBody]), tricky);
  for (let at = 0; at <= trickyBody.length; at++) assert.deepEqual(frame(cut(trickyBody, at)), tricky, String(at));
  assert.deepEqual(frame([...trickyBody].map((byte) => Buffer.of(byte))), tricky);
});

test('a_delimiter_may_follow_the_empty_line_of_a_part_without_content_at_once', () => {
  const body = toBytes('--XX', 'A: 1', '', '--XX', 'B: 2', '', 'b', '--XX--');
  const wanted = [
    ['A: 1', ''],
    ['B: 2', 'b'],
  ];
  for (let at = 0; at <= body.length; at++) assert.deepEqual(frame(cut(body, at)), wanted, String(at));
});

test('a_part_without_header_lines_is_told_with_an_empty_header', () => {
  assert.deepEqual(frame([toBytes('--XX', '', 'a', '--XX--')]), [['', 'a']]);
});

test('a_closing_delimiter_alone_is_a_form_without_parts', () => {
  assert.deepEqual(frame([toBytes('--XX--', '')]), []);
});

const refused: [string, Buffer, RegExp][] = [
  ['no boundary', toBytes('A: 1', '', 'a'), /the boundary does not occur/],
  ['nothing at all', Buffer.alloc(0), /the boundary does not occur/],
  ['no closing boundary', toBytes('--XX', 'A: 1', '', 'a'), /the closing boundary is missing/],
  ['a header without its end', toBytes('--XX', 'A: 1'), /the closing boundary is missing/],
  [
    'a bare line feed before a boundary',
    toBytes('--XX', 'A: 1', '', 'a\n--XX', 'B: 2', '', 'b', '--XX--'),
    /bare line/,
  ],
  [
    'a bare line feed behind a boundary',
    toBytes('--XX', 'A: 1', '', 'a', '--XX\nB: 2', '', 'b', '--XX--'),
    /bare line/,
  ],
  ['bare line feeds alone', Buffer.from('--XX\nA: 1\n\na\n--XX--\n'), /bare line/],
  ['a part behind the closing boundary', toBytes('--XX--', '--XX', 'A: 1', '', 'a', '--XX--'), /follows the closing/],
  ['text behind a boundary', toBytes('--XX yes', 'A: 1', '', 'a', '--XX--'), /something else on its line/],
  ['endless whitespace behind a boundary', Buffer.from(`--XX${' '.repeat(300)}`), /too much whitespace/],
  ['a header over 8 kB', toBytes('--XX', `A: ${'1'.repeat(9000)}`), /more than 8192 bytes/],
];
for (const [what, body, message] of refused) {
  test(`a body with ${what} is refused, wherever it is cut`, () => {
    const fault = { code: 'ERR_UPLOAD_MALFORMED', message };
    for (let at = 0; at <= Math.min(body.length, 100); at++) {
      assert.throws(() => frame(cut(body, at)), fault, String(at));
    }
    assert.throws(() => frame([...body].map((byte) => Buffer.of(byte))), fault);
  });
}
