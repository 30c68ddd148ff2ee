import assert from 'node:assert/strict';
import test from 'node:test';
import { SampleReader } from '../../src/train/samples/sample-reader.ts';
import type { SampleSource } from '../../src/train/samples/sample-source.ts';

const size = { width: 4, height: 3 };
const none = new Float32Array();

/** Samples with their numbers as pixels; `waiting` are requested and not taken yet. */
function createSource(): SampleSource & { readonly waiting: Set<number> } {
  const waiting = new Set<number>();
  return {
    waiting,
    request: (index) => void waiting.add(index),
    take(index) {
      assert.ok(waiting.delete(index), `${String(index)} was not requested, or is taken twice`);
      return Promise.resolve({ raster: Uint8Array.of(index), targets: none, mapTargets: none });
    },
    stop: () => Promise.resolve(),
  };
}

test('a_bounded_number_of_samples_is_requested_ahead', async () => {
  const source = createSource();
  const reader = new SampleReader(source);
  for (let from = 0; from < 200; from += 8) {
    const samples = await reader.read(8, size, 200);
    assert.deepEqual(
      samples.map(({ raster }) => raster[0]),
      Array.from({ length: 8 }, (_, offset) => from + offset),
    );
    assert.equal(source.waiting.size, Math.min(48, 200 - from - 8));
  }
});

test('skipped_samples_are_not_requested', async () => {
  const source = createSource();
  const reader = new SampleReader(source);
  reader.skipTo(70);
  assert.deepEqual(
    (await reader.read(2, size, 74)).map(({ raster }) => raster[0]),
    [70, 71],
  );
  assert.deepEqual([...source.waiting], [72, 73]);
  assert.deepEqual(
    (await reader.read(2, size, 74)).map(({ raster }) => raster[0]),
    [72, 73],
  );
  assert.equal(reader.next, 74);
  await assert.rejects(reader.read(1, size, 74), /74 was not requested/);
});
