import type { Target } from '../samples/labels.ts';

/** What a threshold does: pictures at or above it are flagged. A rate of nothing is not a number. */
export interface Rates {
  /** Of the flagged, the share that is rightly so. */
  readonly precision: number;
  /** Of those that should be flagged, the share that is. */
  readonly recall: number;
  /** Of those that should not be, the share that is. */
  readonly falseAlarms: number;
}

/** A point of the ROC curve, 0…1 each. */
export interface RocPoint {
  readonly falseAlarms: number;
  readonly recall: number;
}

/** Predictions of about the same score: what they say, and what came true. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  /** Weighted means; not a number where the bin is empty. */
  readonly score: number;
  readonly value: number;
}

/** How far scores are from being probabilities. */
export interface Calibration {
  readonly error: number;
  readonly bins: readonly CalibrationBin[];
}

const calibrationBins = 15;

/**
 * Area under the ROC curve: the chance that a positive scores above a negative, ties counting half (Hanley and McNeil
 * 1982, "The meaning and use of the area under a receiver operating characteristic (ROC) curve"). 1 perfect, 0.5 blind.
 * @returns not a number where either class is missing or a score is not a number
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
 * Average precision: Σ (recallₙ − recallₙ₋₁) · precisionₙ over the distinct scores as thresholds, from the highest, with
 * no interpolation (scikit-learn's `average_precision_score`).
 * @returns not a number where there is no positive or a score is not a number
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
 * Expected calibration error: over 15 bins of equal width, the mean of |mean score − mean target|, weighted by what is in
 * each bin (Guo et al. 2017, "On Calibration of Modern Neural Networks", with targets in the place of accuracy). A bin
 * holds its lower bound; the last one holds 1 too.
 * @returns an error that is not a number where nothing has weight or a score is not a number
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

/** Measures what a threshold does to the data. */
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
 * The ROC curve from (0, 0) to (1, 1), to a hundredth: as many points as a plot shows, however many pictures there are.
 * Empty where either class is missing or a score is not a number.
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

/** Whether three points differ in one direction at most: the middle one shows nothing. */
function isInLine(one: RocPoint | undefined, middle: RocPoint | undefined, other: RocPoint): boolean {
  const share = (key: keyof RocPoint): boolean => one?.[key] === other[key] && middle?.[key] === other[key];
  return share('falseAlarms') || share('recall');
}

/** How many are flagged rightly and wrongly at a threshold. */
interface Step {
  readonly hits: number;
  readonly alarms: number;
}

/** Every distinct score as a threshold, from the highest; none where a score is not a number, which has no rank. */
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
