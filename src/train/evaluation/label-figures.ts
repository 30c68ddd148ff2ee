import type { Manifest } from '../../model/manifest.ts';
import { negativeUpTo, positiveFrom, type Target } from '../samples/labels.ts';
import {
  type Calibration,
  measureAveragePrecision,
  measureCalibration,
  measureRates,
  measureRocAuc,
  type Rates,
  type RocPoint,
  toRocCurve,
} from './binary-classification.ts';
import { classicalMeasures } from './classical-measures.ts';
import type { PictureScores } from './picture-scorer.ts';

/** A scored picture with its targets, in the order of the labels. */
export interface ScoredPicture extends PictureScores {
  readonly targets: readonly Target[];
}

/** How well a score ranks a label's positives above its negatives. */
export interface Ranking {
  /** ROC AUC over all pictures with a known target, split at one half. */
  readonly area: number;
  /** ROC AUC over the clear cases: a target of at most 0.1 or at least 0.9. */
  readonly clearArea: number;
  readonly averagePrecision: number;
  readonly curve: readonly RocPoint[];
}

/** Rates at one threshold of the policy. */
export interface ThresholdFigures extends Rates {
  readonly threshold: number;
}

/** All figures of one label. */
export interface LabelFigures {
  readonly label: string;
  /** Pictures with a known target, and the positives among them. */
  readonly pictures: number;
  readonly positives: number;
  readonly model: Ranking;
  readonly calibration: Calibration;
  /** The label's classical measure on the same pictures, if it has one. */
  readonly classical?: Ranking & { readonly name: string };
  readonly review?: ThresholdFigures;
  readonly reject?: ThresholdFigures;
}

/** Target from which a picture is a clear case of the fault. */
const clearlyPositiveFrom = 0.9;

/** Measures every label of a model over all pictures with a known target for it. */
export function measureLabels(pictures: readonly ScoredPicture[], manifest: Manifest): LabelFigures[] {
  return manifest.output.labels.map((label, column) => measureLabel(pictures, label, column, manifest.policy[label]));
}

interface Judged {
  readonly target: Target;
  readonly score: number;
  readonly classical: number;
}

function measureLabel(
  pictures: readonly ScoredPicture[],
  label: string,
  column: number,
  policy: Manifest['policy'][string] = {},
): LabelFigures {
  const judged = pictures.flatMap(({ targets, scores, classical }): Judged[] => {
    const { [column]: target } = targets;
    if (target === undefined || target.weight === 0) return [];
    return [{ target, score: scores[column] ?? Number.NaN, classical: classical[column] ?? Number.NaN }];
  });
  const scores = judged.map(({ score }) => score);
  const targets = judged.map(({ target }) => target);
  const isPositive = targets.map(toPositive);
  const measureAt = (threshold: number) => ({ threshold, ...measureRates(scores, isPositive, threshold) });
  const name = classicalMeasures.get(label)?.name;
  return {
    label,
    pictures: judged.length,
    positives: isPositive.filter(Boolean).length,
    model: rank(judged, ({ score }) => score),
    calibration: measureCalibration(scores, targets),
    ...(name !== undefined && { classical: { name, ...rank(judged, ({ classical }) => classical) } }),
    ...(policy.review !== undefined && { review: measureAt(policy.review) }),
    ...(policy.reject !== undefined && { reject: measureAt(policy.reject) }),
  };
}

function rank(judged: readonly Judged[], toScore: (picture: Judged) => number): Ranking {
  const clear = judged.filter(({ target }) => target.value <= negativeUpTo || target.value >= clearlyPositiveFrom);
  const toColumns = (some: readonly Judged[]) =>
    [some.map(toScore), some.map(({ target }) => toPositive(target))] as const;
  const all = toColumns(judged);
  return {
    area: measureRocAuc(...all),
    clearArea: measureRocAuc(...toColumns(clear)),
    averagePrecision: measureAveragePrecision(...all),
    curve: toRocCurve(...all),
  };
}

function toPositive({ value }: Target): boolean {
  return value >= positiveFrom;
}
