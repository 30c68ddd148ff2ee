import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import test from 'node:test';
import { createMemoryMeter } from '../../src/worker/memory.ts';

/** Opens what may be opened; `ulimit -n` of a test machine may be large, hence the bound. */
function openAll(): number[] {
  const opened: number[] = [];
  try {
    while (opened.length < 2_000_000) opened.push(openSync('/dev/null', 'r'));
  } catch {
    // None is left.
  }
  return opened;
}

test('the_memory_of_this_process_is_told_and_private_pages_are_a_part_of_it', () => {
  const { rssBytes, pssBytes, privateBytes } = createMemoryMeter()();
  assert.ok(privateBytes > 1e6 && privateBytes <= pssBytes && pssBytes <= rssBytes);
});

test('a_process_without_a_free_descriptor_tells_what_it_can_and_throws_nothing', () => {
  const opened = openAll();
  try {
    const { rssBytes } = createMemoryMeter()();
    assert.ok(rssBytes >= 0);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
});
