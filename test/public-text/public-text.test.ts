import assert from 'node:assert/strict';
import test from 'node:test';
import { hidePaths } from '../../src/public-text.ts';

const cases: [string, string, ...string[]][] = [
  [
    "ENOENT: no such file or directory, open '/srv/my models/q/1/model.json'",
    "ENOENT: no such file or directory, open 'model.json'",
  ],
  [
    '/opt/lib/libtensorflow_cc.so.2: cannot open shared object file',
    'libtensorflow_cc.so.2: cannot open shared object file',
  ],
  ['not found at /srv/my models/q/1', 'not found at 1', '/srv/my models/q/1'],
  ['two: /srv/my models/a.bin, /srv/my models/b/c.bin.', 'two: a.bin, b/c.bin.', '/srv/my models'],
  ['at file:///usr/lib/node_modules/x/y.js:3:1', 'at y.js:3:1'],
];
for (const [text, wanted, ...roots] of cases) {
  test(`a reason keeps the last part of a path only: ${wanted}`, () => {
    assert.equal(hidePaths(text, ...roots), wanted);
  });
}

for (const text of [
  '24/7 and 1/2',
  'see https://example.com/a/b',
  'image/png',
  'golden/red.png: differs',
  'a / b',
  '/v1',
]) {
  test(`what is no path of the machine stays: ${text}`, () => {
    assert.equal(hidePaths(text), text);
  });
}
