import assert from 'node:assert/strict';
import test from 'node:test';
import { ExitError } from '../../src/errors.ts';
import { splitPhotos } from '../../src/train/learning/photo-split.ts';
import type { Photo } from '../../src/train/samples/photos.ts';

function makePhotos(count: number): Photo[] {
  const source = { origin: 'code', licence: 'none' };
  return Array.from({ length: count }, (_, at) => ({
    file: `${String(at)}.jpg`,
    source,
    pixels: new Uint8Array(3),
    width: 1,
    height: 1,
  }));
}

function split(count: number, seed: number): string[][] {
  const { training, calibration, heldOut } = splitPhotos(makePhotos(count), seed);
  return [training, calibration, heldOut].map((photos) => photos.map(({ file }) => file));
}

test('every_photograph_is_in_one_set_and_no_set_is_empty', () => {
  for (const count of [3, 4, 5, 10, 24, 101]) {
    const parts = split(count, 2);
    for (const part of parts) assert.ok(part.length > 0, `of ${String(count)}`);
    const all = parts.flat();
    assert.equal(all.length, count);
    assert.equal(new Set(all).size, count);
  }
});

test('the_training_set_is_the_largest', () => {
  assert.deepEqual(
    split(100, 1).map(({ length }) => length),
    [68, 12, 20],
  );
});

test('the_split_depends_on_the_seed_only', () => {
  assert.deepEqual(split(30, 4), split(30, 4));
  assert.notDeepEqual(split(30, 4), split(30, 5));
});

test('fewer_than_three_photographs_are_refused', () => {
  for (const count of [0, 1, 2]) {
    assert.throws(
      () => split(count, 1),
      (thrown: unknown) => {
        assert.ok(thrown instanceof ExitError);
        assert.equal(thrown.exitCode, 78);
        assert.match(thrown.message, new RegExp(`^${String(count)} photographs: training needs at least one each for`));
        return true;
      },
    );
  }
});
