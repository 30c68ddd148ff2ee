import assert from 'node:assert/strict';
import test from 'node:test';
import { measureRates } from '../../src/train/evaluation/binary-classification.ts';
import { choosePolicy, fitCalibrators, precisions } from '../../src/train/learning/thresholds.ts';
import { qualityLabels } from '../../src/train/samples/labels.ts';
import { createRandom } from '../../src/train/samples/random.ts';

interface Case {
  readonly score: number;
  readonly isBad: boolean;
  readonly weight?: number;
}

/** Chooses the policy of one label; the targets of the others are unknown. */
function choose(cases: readonly Case[], label = 1): { review: number; reject: number } {
  const rows = cases.map(({ score }) => qualityLabels.map((_, column) => (column === label ? score : 0.9)));
  const targets = cases.map(({ isBad, weight = 1 }) =>
    qualityLabels.map((_, column) => ({ value: isBad ? 1 : 0, weight: column === label ? weight : 0 })),
  );
  const policy = choosePolicy(rows, targets);
  assert.deepEqual(Object.keys(policy), [...qualityLabels]);
  const own = policy[qualityLabels[label] ?? ''];
  assert.ok(own?.review !== undefined && own.reject !== undefined);
  return { review: own.review, reject: own.reject };
}

/** Draws calibrated probabilities, raised to a power that miscalibrates them. */
function drawCases(seed: number, power: number, count = 400): Case[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const chance = random();
    return { score: chance ** power, isBad: random() < chance };
  });
}

const measure = (cases: readonly Case[], threshold: number) =>
  measureRates(
    cases.map(({ score }) => score),
    cases.map(({ isBad }) => isBad),
    threshold,
  ).precision;

test('thresholds_are_the_lowest_that_reach_the_precision', () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const cases = drawCases(seed, 0.5 + seed / 15, 40 + 10 * seed);
    const { review, reject } = choose(cases);
    assert.ok(review <= reject);
    if (reject === 0.97) continue;
    for (const [threshold, precision, least] of [
      [review, precisions.review, 0.2],
      [reject, precisions.reject, Math.max(0.6, review)],
    ] as const) {
      assert.ok(threshold >= least);
      assert.equal(threshold, Number(threshold.toFixed(2)), 'hundredths');
      const found = measure(cases, threshold);
      assert.ok(found >= precision, `seed ${String(seed)}: ${String(found)} at ${String(threshold)}`);
      if (threshold > least) assert.ok(!(measure(cases, Number((threshold - 0.01).toFixed(2))) >= precision));
    }
  }
});

test('a_score_between_two_hundredths_keeps_the_precision', () => {
  const cases = [
    ...Array.from({ length: 9 }, () => ({ score: 0.651, isBad: true })),
    { score: 0.665, isBad: false },
    ...Array.from({ length: 20 }, () => ({ score: 0.6505, isBad: false })),
    ...Array.from({ length: 3 }, () => ({ score: 0.8, isBad: true })),
  ];
  const { review } = choose(cases);
  assert.equal(review, 0.67, 'the precision is reached at 0.651 and not at 0.66, where nine positives are missing');
  assert.ok(measure(cases, review) >= precisions.review);
});

test('separated_labels_have_the_lowest_thresholds', () => {
  const cases = drawCases(1, 1).map(({ isBad }) => ({ score: isBad ? 0.95 : 0.02, isBad }));
  assert.deepEqual(choose(cases), { review: 0.2, reject: 0.6 });
});

test('a_label_that_never_applies_has_the_highest_thresholds', () => {
  assert.deepEqual(choose(drawCases(1, 1).map(({ score }) => ({ score, isBad: false }))), {
    review: 0.97,
    reject: 0.97,
  });
  assert.deepEqual(choose([]), { review: 0.97, reject: 0.97 });
});

test('unknown_targets_do_not_affect_the_thresholds', () => {
  const cases = drawCases(2, 1);
  const unknown = Array.from({ length: 200 }, () => ({ score: 0.96, isBad: false, weight: 0 }));
  assert.deepEqual(choose([...cases, ...unknown]), choose(cases));
});

test('every_label_is_calibrated_by_its_own_column', () => {
  const rows = Array.from({ length: 100 }, (_, at) =>
    qualityLabels.map((_label, column) => (at - 49.5) / 10 / (column + 1)),
  );
  const targets = rows.map((row) =>
    row.map((logit, column) => ({ value: 1 / (1 + Math.exp(-logit * (column + 1))), weight: 1 })),
  );
  const slopes = fitCalibrators(rows, targets).map(({ slope }) => slope);
  for (const [column, slope] of slopes.entries()) assert.ok(Math.abs(slope / (column + 1) - 1) < 0.2, String(slopes));
});

test('borderline_pictures_count_as_errors_of_reject_and_not_of_review', () => {
  const column = qualityLabels.indexOf('blurry');
  const cases = [
    ...Array.from({ length: 60 }, () => ({ score: 0.05, value: 0 })),
    ...Array.from({ length: 60 }, (_, index) => ({ score: 0.3 + index / 150, value: 0.3 })),
    ...Array.from({ length: 60 }, () => ({ score: 0.9, value: 1 })),
  ];
  const policy = choosePolicy(
    cases.map(({ score }) => qualityLabels.map(() => score)),
    cases.map(({ value }) => qualityLabels.map((_, at) => ({ value, weight: at === column ? 1 : 0 }))),
  );
  const { review = 1, reject = 0 } = policy['blurry'] ?? {};
  assert.ok(review < 0.3, `review from ${String(review)}`);
  assert.ok(reject > 0.6, `reject from ${String(reject)}`);
});

test('labels_with_a_lower_precision_have_a_lower_review_threshold', () => {
  const cases = Array.from({ length: 400 }, (_, index) => ({
    score: index / 400,
    isBad: index > 120 + ((index * 37) % 160),
  }));
  const [blurry, dark, overexposed] = [0, 1, 2].map((label) => choose(cases, label).review);
  assert.ok(blurry !== undefined && dark !== undefined && overexposed !== undefined);
  assert.ok(blurry < dark && dark < overexposed, [blurry, dark, overexposed].join());
});
