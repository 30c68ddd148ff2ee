import assert from 'node:assert/strict';
import test from 'node:test';
import {
  measureAveragePrecision,
  measureCalibration,
  measureRates,
  measureRocAuc,
  toRocCurve,
} from '../../src/train/evaluation/binary-classification.ts';
import { createRandom } from '../../src/train/samples/random.ts';

/** The textbook's four pictures: ROC AUC 3/4, average precision 5/6. */
const scores = [0.1, 0.4, 0.35, 0.8];
const isPositive = [false, false, true, true];

function assertNear(found: number, expected: number, tolerance = 1e-12): void {
  assert.ok(Math.abs(found - expected) <= tolerance, `${String(found)}, expected ${String(expected)}`);
}

/** Scores of two overlapping classes, with ties. */
function drawScores(count: number, seed: number): { scores: number[]; isPositive: boolean[] } {
  const random = createRandom(seed);
  const drawn = Array.from({ length: count }, () => {
    const isHit = random() < 0.3;
    return { isHit, score: Math.round((random() + (isHit ? 0.4 : 0)) * 50) / 50 };
  });
  return { scores: drawn.map(({ score }) => score), isPositive: drawn.map(({ isHit }) => isHit) };
}

test('roc_auc_of_perfect_random_and_inverted_scores', () => {
  assert.equal(measureRocAuc([0.8, 0.9, 0.1, 0.7], [true, true, false, false]), 1);
  assert.equal(measureRocAuc([0.1, 0.7, 0.8, 0.9], [true, true, false, false]), 0);
  assert.equal(measureRocAuc([0.5, 0.5, 0.5], [true, true, false]), 0.5);
  assert.equal(measureRocAuc(scores, isPositive), 0.75);
  assert.equal(measureRocAuc([-3, -2], [false, true]), 1, 'scores need not be probabilities');
});

test('roc_auc_is_the_share_of_pairs_in_the_right_order', () => {
  const drawn = drawScores(300, 1);
  let [wins, pairs] = [0, 0];
  for (const [high, isHigh] of drawn.isPositive.entries()) {
    for (const [low, isLow] of drawn.isPositive.entries()) {
      if (!isHigh || isLow) continue;
      const difference = (drawn.scores[high] ?? NaN) - (drawn.scores[low] ?? NaN);
      wins += difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
      pairs += 1;
    }
  }
  assertNear(measureRocAuc(drawn.scores, drawn.isPositive), wins / pairs);
});

test('average_precision_matches_the_textbook_example', () => {
  assertNear(measureAveragePrecision(scores, isPositive), 5 / 6);
  assert.equal(measureAveragePrecision([0.9, 0.8, 0.1], [true, true, false]), 1);
  assert.equal(
    measureAveragePrecision([0.5, 0.5, 0.5, 0.5], [true, false, false, false]),
    0.25,
    'ties: the prevalence',
  );
  assertNear(measureAveragePrecision([0.9, 0.8], [false, true]), 0.5);
});

test('missing_classes_and_nan_scores_give_nan', () => {
  for (const measure of [measureRocAuc, measureAveragePrecision]) {
    assert.ok(Number.isNaN(measure([], [])));
    assert.ok(Number.isNaN(measure([0.2, 0.3], [false, false])));
    assert.ok(Number.isNaN(measure([0.2, NaN], [false, true])));
  }
  assert.ok(Number.isNaN(measureRocAuc([0.2, 0.3], [true, true])));
  assert.deepEqual(toRocCurve([0.2, NaN], [false, true]), []);
  assert.deepEqual(toRocCurve([0.2, 0.3], [true, true]), []);
  assert.deepEqual(toRocCurve([], []), []);
});

test('calibration_error_is_the_weighted_distance_of_scores_from_targets', () => {
  const toTarget = (value: number, weight = 1) => ({ value, weight });
  // Bin 1 has 0.1 and 0.08 (mean 0.09, target 0.5), bin 13 has 0.9 (target 1).
  const { error, bins } = measureCalibration([0.1, 0.08, 0.9], [toTarget(1), toTarget(0), toTarget(1)]);
  assertNear(error, (2 * 0.41 + 0.1) / 3);
  assert.equal(bins.length, 15);
  const [one, thirteen] = [bins[1], bins[13]];
  assert.ok(one && thirteen);
  assert.equal(one.weight, 2);
  assertNear(one.score, 0.09);
  assertNear(one.value, 0.5);
  assertNear(thirteen.from, 13 / 15);
  assertNear(thirteen.to, 14 / 15);
  assert.equal(thirteen.value, 1);
  const weighted = measureCalibration([0.1, 0.08, 0.9], [toTarget(1, 0), toTarget(0, 3), toTarget(1, 1)]);
  assertNear(weighted.error, (3 * 0.08 + 0.1) / 4);
});

test('true_probabilities_have_no_calibration_error', () => {
  const targets = [0, 0, 0, 1].map((value) => ({ value, weight: 1 }));
  assert.equal(measureCalibration([0.25, 0.25, 0.25, 0.25], targets).error, 0);
  const soft = [0, 0.3, 1].map((value) => ({ value, weight: 1 }));
  const { error, bins } = measureCalibration([0, 0.3, 1], soft);
  assert.equal(error, 0);
  assert.equal(bins.at(-1)?.weight, 1, 'a score of 1 is in the last bin');
});

test('calibration_error_without_weight_is_nan', () => {
  assert.ok(Number.isNaN(measureCalibration([], []).error));
  assert.ok(Number.isNaN(measureCalibration([0.5], [{ value: 1, weight: 0 }]).error));
  assert.ok(
    Number.isNaN(
      measureCalibration(
        [NaN, 0.5],
        [0, 1].map((value) => ({ value, weight: 1 })),
      ).error,
    ),
  );
});

test('rates_count_scores_at_or_above_the_threshold', () => {
  assert.deepEqual(measureRates(scores, isPositive, 0.4), { precision: 0.5, recall: 0.5, falseAlarms: 0.5 });
  const none = measureRates(scores, isPositive, 0.9);
  assert.ok(Number.isNaN(none.precision));
  assert.deepEqual([none.recall, none.falseAlarms], [0, 0]);
});

test('the_roc_curve_goes_from_corner_to_corner', () => {
  assert.deepEqual(toRocCurve(scores, isPositive), [
    { falseAlarms: 0, recall: 0 },
    { falseAlarms: 0, recall: 0.5 },
    { falseAlarms: 0.5, recall: 0.5 },
    { falseAlarms: 0.5, recall: 1 },
    { falseAlarms: 1, recall: 1 },
  ]);
  assert.deepEqual(toRocCurve([0.5, 0.5], [true, false]), [
    { falseAlarms: 0, recall: 0 },
    { falseAlarms: 1, recall: 1 },
  ]);
});

test('the_roc_curve_of_many_pictures_has_few_points_and_the_same_area', () => {
  const random = createRandom(3);
  const hits = Array.from({ length: 20_000 }, () => random() < 0.5);
  const many = hits.map((isHit) => random() + (isHit ? 0.3 : 0));
  const curve = toRocCurve(many, hits);
  assert.ok(curve.length > 20 && curve.length <= 201, String(curve.length));
  let area = 0;
  for (const [index, { falseAlarms, recall }] of curve.entries()) {
    const before = curve[index - 1] ?? { falseAlarms: 0, recall: 0 };
    assert.ok(falseAlarms >= before.falseAlarms && recall >= before.recall);
    area += ((falseAlarms - before.falseAlarms) * (recall + before.recall)) / 2;
  }
  assertNear(area, measureRocAuc(many, hits), 0.01);
});
