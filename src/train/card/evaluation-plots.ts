import type { TopLevelSpec } from 'vega-lite';
import type { Evaluation } from '../evaluation/evaluation.ts';
import type { LabelFigures, Ranking } from '../evaluation/label-figures.ts';
import { drawSvg } from './plot-svg.ts';

/** A point of a curve in the panel of a label or kind. */
interface Point {
  readonly panel: string;
  readonly curve: string;
  readonly x: number;
  readonly y: number;
}

/** What differs between the plots. */
interface Plot {
  readonly title: string;
  readonly points: readonly Point[];
  /** In the order of the legend; `dashed` curves are for comparison. */
  readonly curves: readonly string[];
  readonly dashed: readonly string[];
  readonly x: { readonly title: string; readonly values: readonly number[] };
  readonly y: string;
  readonly hasMarks: boolean;
}

const columns = 4;
const panelPixels = 160;

/** Draws the plots of an evaluation. @returns SVG by file name; the same figures give the same text */
export async function drawPlots({ labels, kinds }: Evaluation): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['roc.svg', await drawSvg(toSpec(toRocPlot(labels)))],
    ['reliability.svg', await drawSvg(toSpec(toReliabilityPlot(labels)))],
    ['strength.svg', await drawSvg(toSpec(toStrengthPlot(kinds)))],
  ]);
}

const unitAxis = [0, 0.5, 1] as const;

function toRocPlot(labels: readonly LabelFigures[]): Plot {
  const toPoints = (panel: string, curve: string, ranking: Ranking | undefined): Point[] =>
    (ranking?.curve ?? []).map(({ falseAlarms, recall }) => ({ panel, curve, x: falseAlarms, y: recall }));
  return {
    title: 'ROC curves',
    points: labels.flatMap(({ label, model, classical }) => [
      ...toPoints(label, 'model', model),
      ...toPoints(label, 'classical measure', classical),
    ]),
    curves: ['model', 'classical measure'],
    dashed: ['classical measure'],
    x: { title: 'false alarms', values: unitAxis },
    y: 'recall',
    hasMarks: false,
  };
}

function toReliabilityPlot(labels: readonly LabelFigures[]): Plot {
  return {
    title: 'Reliability: mean target over mean score',
    points: labels.flatMap(({ label, calibration }) => [
      ...[0, 1].map((end) => ({ panel: label, curve: 'perfect', x: end, y: end })),
      ...calibration.bins
        .filter(({ weight }) => weight > 0)
        .map(({ score, value }) => ({ panel: label, curve: 'model', x: score, y: value })),
    ]),
    curves: ['model', 'perfect'],
    dashed: ['perfect'],
    x: { title: 'score', values: unitAxis },
    y: 'target',
    hasMarks: true,
  };
}

function toStrengthPlot(kinds: Evaluation['kinds']): Plot {
  const curves = ['mean score', 'flagged', 'rejected'] as const;
  const hasLevels = (kind: string): boolean => kinds.filter((other) => other.kind === kind).length > 1;
  const graded = kinds.filter(({ kind }) => hasLevels(kind));
  return {
    title: 'Score and verdicts over strength',
    points: graded.flatMap(({ kind, level, meanScore, flagged, rejected }) =>
      [meanScore, flagged, rejected].map((y, index) => ({ panel: kind, curve: curves[index] ?? '', x: level, y })),
    ),
    curves,
    dashed: curves.slice(1),
    x: { title: 'level of strength', values: [0, 1, 2, 3, 4] },
    y: 'score, share',
    hasMarks: false,
  };
}

function toSpec({ title, points, curves, dashed, x, y, hasMarks }: Plot): TopLevelSpec {
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const dashes = curves.map((curve) => (dashed.includes(curve) ? [4, 3] : [1, 0]));
  const scale = { domain: [x.values[0] ?? 0, x.values.at(-1) ?? 1] };
  return {
    title: { text: title, anchor: 'middle' },
    background: 'white',
    data: { values: [...points] },
    facet: { field: 'panel', type: 'nominal', sort: panels, title: null },
    columns,
    spec: {
      width: panelPixels,
      height: panelPixels,
      mark: { type: 'line', strokeWidth: 1.5, point: hasMarks && { size: 16 } },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: x.title, scale, axis: { values: [...x.values] } },
        y: { field: 'y', type: 'quantitative', title: y, scale: { domain: [0, 1] }, axis: { values: [...unitAxis] } },
        // In the order of the data: a ROC curve has several points at the same x.
        order: { value: 0 },
        color: { field: 'curve', type: 'nominal', sort: [...curves], title: null },
        strokeDash: { field: 'curve', type: 'nominal', sort: [...curves], scale: { range: dashes }, title: null },
      },
    },
  };
}
