import type { Manifest } from '../../model/manifest.ts';
import { measureRates } from '../evaluation/binary-classification.ts';
import { negativeUpTo, positiveFrom, qualityLabels, type Target } from '../samples/labels.ts';
import { type Calibrator, fitCalibrator } from './platt-scaling.ts';

/** How often a flag has to be right on the pictures that thresholds are chosen by. */
export const precisions = { review: 0.9, reject: 0.98 } as const;

/**
 * Other precisions of review: a blur that is missed costs more than a second look at a sharp picture, and white pages and
 * drawings are too common to be looked at again.
 */
export const reviewExceptions: ReadonlyMap<string, number> = new Map([
  ['blurry', 0.8],
  ['overexposed', 0.97],
]);

/** Lower scores are not worth a second look, or certain enough to reject. */
const leastReview = 0.2;
const leastReject = 0.6;
/** Above this a picture is rejected whatever the data says; a threshold of 1 would never be reached. */
const mostReject = 0.97;

/** Fits the scores of every label. @param logits one row a picture, in the order of the labels */
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
 * Chooses from where a score flags a picture: for review it is no mistake to flag what has the fault a little, for reject
 * it is. @param scores calibrated, one row a picture
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

/** The lowest hundredth from `least` on from where flags are as often right as they have to be. */
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
