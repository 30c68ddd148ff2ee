import assert from 'node:assert/strict';
import test from 'node:test';
import { measureAreas, toArea } from '../../src/train/evaluation.ts';

test('the_area_tells_perfect_from_blind_from_wrong', () => {
  assert.equal(toArea([0.8, 0.9], [0.1, 0.7]), 1);
  assert.equal(toArea([0.1, 0.7], [0.8, 0.9]), 0);
  assert.equal(toArea([0.5, 0.5], [0.5]), 0.5);
  assert.equal(toArea([0.6, 0.2], [0.4, 0.1]), 0.75);
});

test('an_area_with_nothing_to_compare_is_not_a_number', () => {
  assert.ok(Number.isNaN(toArea([], [0.5])));
});

test('samples_that_nobody_can_judge_do_not_count', () => {
  const samples = {
    count: 3,
    rasters: new Uint8Array(),
    targets: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    weights: Float32Array.of(1, 1, 1, 1, 1, 1, 0, 1, 1),
  };
  const scores = [
    [0.6, 0.1, 0.3],
    [0.2, 0.9, 0.2],
    [0.9, 0.2, 0.1],
  ];
  assert.deepEqual(measureAreas(samples, scores), { blurry: 1, dark: 1, overexposed: 0 });
});
