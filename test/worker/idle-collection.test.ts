import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIdleCollector } from '../../src/worker/idle-collection.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const mebibyte = 2 ** 20;

/** A heap of `bytes`, which a collection leaves at `leftBytes`. */
function createHeap(leftBytes = 0) {
  const heap = { bytes: 0, collections: 0 };
  const collector = createIdleCollector({
    bufferBytes: () => heap.bytes,
    collect: () => {
      heap.collections += 1;
      heap.bytes = leftBytes;
    },
  });
  return { heap, collector };
}

test('buffers_of_uploads_that_are_over_are_collected_when_no_request_is_in_flight', () => {
  const { heap, collector } = createHeap();
  heap.bytes = 300 * mebibyte;
  collector(1);
  assert.equal(heap.collections, 0, 'a request is in flight');
  collector(0);
  assert.equal(heap.collections, 1);
});

test('little_is_not_worth_a_collection', () => {
  const { heap, collector } = createHeap();
  heap.bytes = 15 * mebibyte;
  collector(0);
  assert.equal(heap.collections, 0);
});

test('buffers_that_stay_in_use_cause_no_further_collections', () => {
  const { heap, collector } = createHeap(200 * mebibyte);
  heap.bytes = 300 * mebibyte;
  collector(0);
  collector(0);
  assert.equal(heap.collections, 1);
});

test('the_collector_of_a_process_frees_buffers_that_nobody_holds', async () => {
  const collector = createIdleCollector();
  const before = process.memoryUsage().arrayBuffers;
  const buffers = Array.from({ length: 16 }, () => Buffer.alloc(8 * mebibyte));
  collector(1);
  assert.ok(process.memoryUsage().arrayBuffers - before >= 100 * mebibyte);
  buffers.length = 0;
  collector(0);
  // V8 sweeps in other threads.
  await waitFor(() => process.memoryUsage().arrayBuffers - before < 16 * mebibyte);
});
