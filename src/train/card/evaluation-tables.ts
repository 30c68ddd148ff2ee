import type { Evaluation } from '../evaluation/evaluation.ts';
import type { VariantFigures } from '../evaluation/invariance.ts';
import type { LabelFigures, ThresholdFigures } from '../evaluation/label-figures.ts';
import type { RealFigures } from '../evaluation/real-pictures.ts';

/** A table to be formatted as Markdown or for a terminal. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Builds the table of each label's accuracy beside that of its classical measure on the same pictures. */
export function toLabelTable(labels: readonly LabelFigures[]): Table {
  return {
    head: [
      ...['label', 'AUC', 'clear cases', 'average precision', 'calibration error'],
      ...['classical measure', 'its AUC', 'its clear cases', 'its average precision'],
    ],
    rows: labels.map(({ label, model, calibration, classical }) => [
      ...[label, toFixed(model.area), toFixed(model.clearArea), toFixed(model.averagePrecision)],
      ...[toFixed(calibration.error), classical?.name ?? '–', toFixed(classical?.area)],
      ...[toFixed(classical?.clearArea), toFixed(classical?.averagePrecision)],
    ]),
  };
}

/** Builds the table of precision and recall at the policy's thresholds. */
export function toPolicyTable(labels: readonly LabelFigures[]): Table {
  const toCells = (figures: ThresholdFigures | undefined): string[] =>
    figures
      ? [toFixed(figures.threshold), toPercent(figures.precision), toPercent(figures.recall)]
      : ['never', '–', '–'];
  return {
    head: ['label', 'review from', 'precision', 'recall', 'reject from', 'precision', 'recall'],
    rows: labels.map(({ label, review, reject }) => [label, ...toCells(review), ...toCells(reject)]),
  };
}

/** Builds the table of scores and verdicts by kind and level of degradation. */
export function toKindTable({ kinds }: Evaluation): Table {
  return {
    head: ['kind', 'level', 'strength', 'pictures', 'mean score', 'flagged', 'rejected'],
    rows: kinds.map(({ kind, level, strength, pictures, label, meanScore, flagged, rejected }) => [
      ...[kind, String(level), strength, String(pictures), `${label ?? 'highest'} ${meanScore.toFixed(3)}`],
      ...[toPercent(flagged), toPercent(rejected)],
    ]),
  };
}

/** Builds the table of verdicts that change in other forms of the photographs. */
export function toInvarianceTable(variants: readonly VariantFigures[]): Table {
  return {
    head: ['form', 'photographs', 'other verdict', 'which'],
    rows: variants.map(({ name, pictures, changed }) => [
      ...[name, String(pictures), toCount(changed.length, pictures), changed.join(', ')],
    ]),
  };
}

/** Builds the table of verdicts by folder of real pictures. */
export function toFolderTable({ folders }: RealFigures): Table {
  return {
    head: ['folder', 'pictures', 'flagged', 'with its label', 'rejected'],
    rows: folders.map(({ name, label, pictures, flagged, recognised, rejected }) => [
      ...[name, String(pictures), toCount(flagged, pictures)],
      ...[label === undefined ? '–' : toCount(recognised, pictures), toCount(rejected, pictures)],
    ]),
  };
}

/** Builds the table of each label's accuracy on real pictures. */
export function toRealTable({ labels }: RealFigures): Table {
  return {
    head: [
      ...['label', 'its pictures', 'good ones', 'AUC', 'average precision'],
      ...['classical measure', 'its AUC', 'its average precision'],
    ],
    rows: labels.map(({ label, pictures, positives, model, classical }) => [
      ...[label, String(positives), String(pictures - positives), toFixed(model.area), toFixed(model.averagePrecision)],
      ...[classical?.name ?? '–', toFixed(classical?.area), toFixed(classical?.averagePrecision)],
    ]),
  };
}

/** Formats a count with its share of a total. */
export function toCount(count: number, total: number): string {
  return `${String(count)} (${toPercent(count / total)})`;
}

function toFixed(value = Number.NaN): string {
  return Number.isNaN(value) ? '–' : value.toFixed(4);
}

function toPercent(share: number): string {
  return Number.isNaN(share) ? '–' : `${(share * 100).toFixed(1)} %`;
}
