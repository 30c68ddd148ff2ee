import assert from 'node:assert/strict';
import test from 'node:test';
import { SampleReader } from '../../src/train/samples/sample-reader.ts';
import type { SampleSource } from '../../src/train/samples/sample-source.ts';

const size = { width: 4, height: 3 };
const none = new Float32Array();

/** Samples that hold their numbers; `waiting` are those that were requested and not got. */
function createSource(): SampleSource & { readonly waiting: Set<number> } {
  const waiting = new Set<number>();
  return {
    waiting,
    request: (index) => void waiting.add(index),
    take(index) {
      assert.ok(waiting.delete(index), `${String(index)} was not requested, or is got twice`);
      return Promise.resolve({ raster: Uint8Array.of(index), targets: none, mapTargets: none });
    },
    stop: () => Promise.resolve(),
  };
}

test('some_samples_are_made_ahead_and_never_all_of_them', async () => {
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

test('what_is_left_out_is_not_made_and_what_was_made_is_read', async () => {
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
