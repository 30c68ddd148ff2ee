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

/** A picture that was scored, with what its labels should say, in the same order. */
export interface ScoredPicture extends PictureScores {
  readonly targets: readonly Target[];
}

/** How well something tells a label's pictures from others. */
export interface Ranking {
  /** Over all pictures that can be judged, split at a target of one half. */
  readonly area: number;
  /** Over those of which nobody doubts: a target of at most 0.1 or at least 0.9. */
  readonly clearArea: number;
  readonly averagePrecision: number;
  readonly curve: readonly RocPoint[];
}

/** What one threshold of the policy does. */
export interface ThresholdFigures extends Rates {
  readonly threshold: number;
}

/** All that is measured of one label. */
export interface LabelFigures {
  readonly label: string;
  /** That can be judged, and of these the ones that the label is meant for. */
  readonly pictures: number;
  readonly positives: number;
  readonly model: Ranking;
  readonly calibration: Calibration;
  /** The classical measure on the very same pictures, where the label has one. */
  readonly classical?: Ranking & { readonly name: string };
  readonly review?: ThresholdFigures;
  readonly reject?: ThresholdFigures;
}

/** From this target on nobody doubts that a picture has the fault. */
const clearlyPositiveFrom = 0.9;

/** Measures every label of a model over all pictures whose target for it has weight. */
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
