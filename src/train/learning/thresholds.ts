import type { Manifest } from '../../model/manifest.ts';
import { measureRates } from '../evaluation/binary-classification.ts';
import { negativeUpTo, positiveFrom, qualityLabels, type Target } from '../samples/labels.ts';
import { type Calibrator, fitCalibrator } from './platt-scaling.ts';

/** Precision on the calibration set that thresholds must reach. */
export const precisions = { review: 0.9, reject: 0.98 } as const;

/**
 * Labels with another precision of review: a missed blur costs more than the review of a sharp picture, and white pages and
 * drawings are too common to be reviewed.
 */
export const reviewExceptions: ReadonlyMap<string, number> = new Map([
  ['blurry', 0.8],
  ['overexposed', 0.97],
]);

/** Lowest thresholds: below them a picture is not worth a review, or not certain enough to reject. */
const leastReview = 0.2;
const leastReject = 0.6;
/** Highest threshold of reject: no score reaches 1. */
const mostReject = 0.97;

/** Fits a calibrator for every label. @param logits one row per picture, in the order of the labels */
export function fitCalibrators(
  logits: readonly (readonly number[])[],
  targets: readonly (readonly Target[])[],
): readonly Calibrator[] {
  return qualityLabels.map((_, label) => {
    const own = targets.map((row) => row[label] ?? { value: 0, weight: 0 });
    return fitCalibrator(
      logits.map((row) => row[label] ?? 0),
      own,
    );
  });
}

/**
 * Chooses the thresholds of review and reject. Borderline pictures are left out for review and count as errors of reject.
 * @param scores calibrated, one row per picture
 */
export function choosePolicy(
  scores: readonly (readonly number[])[],
  targets: readonly (readonly Target[])[],
): Manifest['policy'] {
  const entries = qualityLabels.map((label, column) => {
    const judged = targets.flatMap((row, index) => {
      const target = row[column];
      return target && target.weight > 0 ? [{ score: scores[index]?.[column] ?? 0, value: target.value }] : [];
    });
    const clear = judged.filter(({ value }) => value <= negativeUpTo || value >= positiveFrom);
    const review = chooseThreshold(clear, reviewExceptions.get(label) ?? precisions.review, leastReview);
    const reject = chooseThreshold(judged, precisions.reject, Math.max(leastReject, review));
    return [label, { review, reject }] as const;
  });
  return Object.fromEntries(entries);
}

/** Finds the lowest threshold, in hundredths from `least`, that reaches the precision. */
function chooseThreshold(
  judged: readonly { readonly score: number; readonly value: number }[],
  precision: number,
  least: number,
): number {
  const scores = judged.map(({ score }) => score);
  const isBad = judged.map(({ value }) => value >= positiveFrom);
  for (let percent = Math.round(least * 100); percent < mostReject * 100; percent += 1) {
    if (measureRates(scores, isBad, percent / 100).precision >= precision) return percent / 100;
  }
  return mostReject;
}
