import type { Target } from '../samples/labels.ts';

/** Rates at a threshold: pictures at or above it are flagged. A rate of no pictures is NaN. */
export interface Rates {
  /** Share of the flagged that are positives. */
  readonly precision: number;
  /** Share of the positives that are flagged. */
  readonly recall: number;
  /** Share of the negatives that are flagged. */
  readonly falseAlarms: number;
}

/** A point of the ROC curve, 0…1 each. */
export interface RocPoint {
  readonly falseAlarms: number;
  readonly recall: number;
}

/** Predictions of about the same score, with their mean score and mean target. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  /** Weighted means; NaN in an empty bin. */
  readonly score: number;
  readonly value: number;
}

/** Deviation of scores from probabilities. */
export interface Calibration {
  readonly error: number;
  readonly bins: readonly CalibrationBin[];
}

const calibrationBins = 15;

/**
 * Measures the area under the ROC curve: the chance that a positive scores above a negative, ties counting half (Hanley and McNeil
 * 1982, "The meaning and use of the area under a receiver operating characteristic (ROC) curve"). 1 is perfect, 0.5 chance.
 * @returns NaN where either class is missing or a score is NaN
 */
export function measureRocAuc(scores: readonly number[], isPositive: readonly boolean[]): number {
  const steps = toSteps(scores, isPositive);
  let area = 0;
  let last = { hits: 0, alarms: 0 };
  for (const step of steps) {
    area += ((step.alarms - last.alarms) * (step.hits + last.hits)) / 2;
    last = step;
  }
  return area / (last.hits * last.alarms);
}

/**
 * Measures average precision: Σ (recallₙ − recallₙ₋₁) · precisionₙ over the distinct scores as thresholds, from the highest, with
 * no interpolation (scikit-learn's `average_precision_score`).
 * @returns NaN without positives or where a score is NaN
 */
export function measureAveragePrecision(scores: readonly number[], isPositive: readonly boolean[]): number {
  const steps = toSteps(scores, isPositive);
  let sum = 0;
  let lastHits = 0;
  for (const { hits, alarms } of steps) {
    sum += ((hits - lastHits) * hits) / (hits + alarms);
    lastHits = hits;
  }
  return sum / lastHits;
}

/**
 * Measures the expected calibration error: over 15 bins of equal width, the mean of |mean score − mean target|, weighted by
 * the weight of each bin (Guo et al. 2017, "On Calibration of Modern Neural Networks", with targets in place of accuracy). A bin
 * includes its lower bound; the last one also includes 1.
 * @returns an error of NaN where nothing has weight or a score is NaN
 */
export function measureCalibration(scores: readonly number[], targets: readonly Target[]): Calibration {
  const sums = Array.from({ length: calibrationBins }, () => ({ weight: 0, score: 0, value: 0 }));
  for (const [index, { value, weight }] of targets.entries()) {
    const score = scores[index] ?? Number.NaN;
    const bin = sums[Math.min(calibrationBins - 1, Math.max(0, Math.floor(score * calibrationBins)))];
    if (!bin) return { error: Number.NaN, bins: [] };
    bin.weight += weight;
    bin.score += weight * score;
    bin.value += weight * value;
  }
  const total = sums.reduce((sum, { weight }) => sum + weight, 0);
  const distance = sums.reduce((sum, { score, value }) => sum + Math.abs(score - value), 0);
  const bins = sums.map(({ weight, score, value }, index) => ({
    from: index / calibrationBins,
    to: (index + 1) / calibrationBins,
    weight,
    score: score / weight,
    value: value / weight,
  }));
  return { error: distance / total, bins };
}

/** Measures the rates at a threshold. */
export function measureRates(scores: readonly number[], isPositive: readonly boolean[], threshold: number): Rates {
  let [hits, alarms, positives] = [0, 0, 0];
  for (const [index, score] of scores.entries()) {
    const isRight = isPositive[index] === true;
    if (isRight) positives += 1;
    if (score < threshold) continue;
    if (isRight) hits += 1;
    else alarms += 1;
  }
  return {
    precision: hits / (hits + alarms),
    recall: hits / positives,
    falseAlarms: alarms / (scores.length - positives),
  };
}

/**
 * Computes the ROC curve from (0, 0) to (1, 1), rounded to hundredths: no more points than a plot can show. Empty where
 * either class is missing or a score is NaN.
 */
export function toRocCurve(scores: readonly number[], isPositive: readonly boolean[]): readonly RocPoint[] {
  const steps = toSteps(scores, isPositive);
  const { hits = 0, alarms = 0 } = steps.at(-1) ?? {};
  if (hits === 0 || alarms === 0) return [];
  const toHundredth = (share: number): number => Math.round(share * 100) / 100;
  const curve: RocPoint[] = [{ falseAlarms: 0, recall: 0 }];
  for (const step of steps) {
    const point = { falseAlarms: toHundredth(step.alarms / alarms), recall: toHundredth(step.hits / hits) };
    const [before, last] = [curve.at(-2), curve.at(-1)];
    if (last?.falseAlarms === point.falseAlarms && last.recall === point.recall) continue;
    if (isInLine(before, last, point)) curve.pop();
    curve.push(point);
  }
  return curve;
}

/** Returns whether three points lie on a horizontal or vertical line: the middle one is redundant. */
function isInLine(one: RocPoint | undefined, middle: RocPoint | undefined, other: RocPoint): boolean {
  const share = (key: keyof RocPoint): boolean => one?.[key] === other[key] && middle?.[key] === other[key];
  return share('falseAlarms') || share('recall');
}

/** Counts of true and false positives at a threshold. */
interface Step {
  readonly hits: number;
  readonly alarms: number;
}

/** Counts at every distinct score as a threshold, from the highest; empty where a score is NaN, which has no rank. */
function toSteps(scores: readonly number[], isPositive: readonly boolean[]): readonly Step[] {
  if (scores.some(Number.isNaN)) return [];
  const ranked = scores.map((score, index) => ({ score, isHit: isPositive[index] === true }));
  ranked.sort((a, b) => b.score - a.score);
  const steps: Step[] = [];
  let [hits, alarms] = [0, 0];
  for (const [index, { score, isHit }] of ranked.entries()) {
    if (isHit) hits += 1;
    else alarms += 1;
    if (ranked[index + 1]?.score !== score) steps.push({ hits, alarms });
  }
  return steps;
}
