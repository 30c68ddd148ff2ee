import assert from 'node:assert/strict';
import test from 'node:test';
import { toProcessMemory } from '../../src/smaps-rollup.ts';

const rollup = `55d0c3d2b000-7ffc2b5e6000 ---p 00000000 00:00 0                          [rollup]
Rss:                4084 kB
Pss:                1201 kB
Pss_Dirty:           612 kB
Shared_Clean:       3000 kB
Private_Clean:       300 kB
Private_Dirty:       784 kB
`;

test('private_pages_are_clean_and_dirty_ones_together', () => {
  const expected = { rssBytes: 4084 * 1024, pssBytes: 1201 * 1024, privateBytes: 1084 * 1024 };
  assert.deepEqual(toProcessMemory(rollup), expected);
});

test('a_text_that_lacks_a_field_has_no_figures', () => {
  assert.equal(toProcessMemory(''), undefined);
  assert.equal(toProcessMemory(rollup.replace(/^Private_Dirty.*\n/m, '')), undefined);
});
