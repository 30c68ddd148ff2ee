import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planLine, type SampledLine, toMirrored, toReversed } from '../../src/image/sampled-line.ts';
import type { SampledShape } from '../../src/image/types.ts';

const shape: SampledShape = { width: 1, height: 1, resize: 'stretch', kernel: 'bilinear' };

/** Takes the samples of a line of pixels. */
function sample({ count, taps, firsts, weights }: SampledLine, line: readonly number[]): number[] {
  return Array.from({ length: count }, (_, index) => {
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      sum += (weights[index * taps + tap] ?? NaN) * (line[(firsts[index] ?? NaN) + tap] ?? NaN);
    }
    return Math.round(sum * 1e4) / 1e4;
  });
}

const ramp = [0, 10, 20, 30, 40, 50, 60, 70];

test('each_kind_of_coordinates_puts_the_samples_where_its_name_says', () => {
  const take = (coordinates: SampledShape['coordinates'], kernel: SampledShape['kernel'] = 'bilinear'): number[] =>
    sample(
      planLine({ start: 0, length: 8, count: 3 }, { ...shape, kernel, ...(coordinates && { coordinates }) }),
      ramp,
    );
  assert.deepEqual(take('half-pixel'), [8.3333, 35, 61.6667]);
  assert.deepEqual(take(undefined), [8.3333, 35, 61.6667]);
  assert.deepEqual(take('align-corners'), [0, 35, 70]);
  assert.deepEqual(take('asymmetric'), [0, 26.6667, 53.3333]);
  assert.deepEqual(take('align-corners', 'nearest'), [0, 40, 70]);
  assert.deepEqual(take('asymmetric', 'nearest'), [0, 20, 50]);
  assert.deepEqual(take('half-pixel', 'nearest'), [10, 40, 60]);
});

test('a_section_is_sampled_as_if_nothing_were_around_it', () => {
  for (const kernel of ['bilinear', 'bicubic', 'nearest'] as const) {
    const alone = sample(planLine({ start: 0, length: 3, count: 5 }, { ...shape, kernel }), ramp.slice(2, 5));
    assert.deepEqual(sample(planLine({ start: 2, length: 3, count: 5 }, { ...shape, kernel }), ramp), alone, kernel);
  }
});

test('lines_of_fewer_pixels_than_a_kernel_takes_are_sampled', () => {
  for (const kernel of ['bilinear', 'bicubic', 'nearest'] as const) {
    for (const coordinates of ['half-pixel', 'align-corners', 'asymmetric'] as const) {
      for (const length of [1, 2, 3]) {
        for (const count of [1, 2, 7]) {
          const line = planLine({ start: 0, length, count }, { ...shape, kernel, coordinates });
          assert.deepEqual(
            sample(line, new Array(length).fill(100)),
            new Array(count).fill(100),
            `${kernel}, ${coordinates}, ${String(length)} to ${String(count)}`,
          );
          assert.ok([...line.firsts].every((first) => first >= 0 && first + line.taps <= length));
        }
      }
    }
  }
});

test('a_mirrored_line_takes_the_same_samples_of_a_line_that_is_stored_backwards_a_reversed_one_backwards', () => {
  for (const kernel of ['bilinear', 'bicubic', 'nearest'] as const) {
    const line = planLine({ start: 1, length: 6, count: 4 }, { ...shape, kernel, coordinates: 'asymmetric' });
    const samples = sample(line, ramp);
    assert.deepEqual(sample(toMirrored(line, 8), [...ramp].reverse()), samples, kernel);
    assert.deepEqual(sample(toReversed(line), ramp), [...samples].reverse(), kernel);
  }
});
