import assert from 'node:assert/strict';
import test from 'node:test';
import { fitCalibrator } from '../../src/train/learning/platt-scaling.ts';
import { createRandom } from '../../src/train/samples/random.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Draws logits over ±3 `spread`, with targets of the probability that slope and offset give them. */
function drawCases(slope: number, offset: number, spread: number) {
  const random = createRandom(5);
  const logits = Array.from({ length: 3000 }, () => 2 * spread * (random() + random() + random() - 1.5));
  const targets = logits.map((logit) => ({ value: random() < sigmoid(slope * logit + offset) ? 1 : 0, weight: 1 }));
  return { logits, targets };
}

/** Integers without 0. */
const ladder = Array.from({ length: 40 }, (_, at) => (at < 20 ? at - 20 : at - 19));

for (const [slope, offset, spread] of [
  [1, 0, 3],
  [2, 1, 1],
  [0.3, 1, 10],
  [0.1, -2, 30],
  [0.02, 0, 200],
  [-0.5, 1, 4],
] as const) {
  test(`a_slope_of_${String(slope)}_and_an_offset_of_${String(offset)}_are_found_again`, () => {
    const { logits, targets } = drawCases(slope, offset, spread);
    const found = fitCalibrator(logits, targets);
    assert.ok(Math.abs(found.slope / slope - 1) < 0.12, `slope ${String(found.slope)}`);
    assert.ok(Math.abs(found.offset - offset) < 0.25, `offset ${String(found.offset)}`);
  });
}

test('fractional_targets_are_fitted_exactly', () => {
  const logits = ladder.map((step) => step / 5);
  const targets = logits.map((logit) => ({ value: sigmoid(1.5 * logit - 0.5), weight: 1 }));
  const { slope, offset } = fitCalibrator(logits, targets);
  assert.ok(Math.abs(slope - 1.5) < 0.02 && Math.abs(offset + 0.5) < 0.02, `${String(slope)}, ${String(offset)}`);
});

test('a_perfectly_separated_label_stays_finite_and_keeps_its_order', () => {
  for (const scale of [0.1, 1, 30]) {
    const targets = ladder.map((step) => ({ value: step > 0 ? 1 : 0, weight: 1 }));
    const { slope, offset } = fitCalibrator(
      ladder.map((step) => step * scale),
      targets,
    );
    assert.ok(slope > 0 && slope < 100 && Math.abs(offset) < 10, `${String(slope)}, ${String(offset)}`);
  }
});

test('inverted_scores_get_a_negative_slope', () => {
  const targets = ladder.map((step) => ({ value: step > 0 ? 0 : 1, weight: 1 }));
  const { slope } = fitCalibrator(
    ladder.map((step) => Math.sign(step) * 30),
    targets,
  );
  assert.ok(slope < 0 && slope > -10, String(slope));
});

test('a_label_that_never_or_always_holds_stays_finite', () => {
  for (const value of [0, 1]) {
    const { slope, offset } = fitCalibrator(
      ladder,
      ladder.map(() => ({ value, weight: 1 })),
    );
    assert.ok(Math.abs(slope) < 10 && Math.abs(offset) < 20, `${String(slope)}, ${String(offset)}`);
    for (const logit of ladder) assert.ok(Math.abs(sigmoid(slope * logit + offset) - value) < 0.05);
  }
});

test('without_known_targets_scores_are_unchanged', () => {
  assert.deepEqual(fitCalibrator([], []), { slope: 1, offset: 0 });
  const unknown = ladder.map(() => ({ value: 1, weight: 0 }));
  assert.deepEqual(fitCalibrator(ladder, unknown), { slope: 1, offset: 0 });
});

test('unknown_targets_change_nothing', () => {
  const { logits, targets } = drawCases(0.5, 1, 3);
  const more = fitCalibrator([...logits, 50, -50], [...targets, { value: 0, weight: 0 }, { value: 1, weight: 0 }]);
  assert.deepEqual(more, fitCalibrator(logits, targets));
});
