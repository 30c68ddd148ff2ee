import type { TopLevelSpec } from 'vega-lite';
import { drawSvg } from '../../src/train/card/plot-svg.ts';
import { toMedian, toQuantile } from '../statistics.ts';
import { findCell } from './cell.ts';
import { sizeNames } from './pictures.ts';
import type { Results } from './results.ts';

interface BarPoint {
  readonly panel: string;
  readonly contender: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Draws the results. @returns SVG texts by their file names */
export async function drawPlots(results: Results): Promise<ReadonlyMap<string, string>> {
  const names = results.contenders.map(({ name }) => name);
  const specs: readonly (readonly [string, TopLevelSpec])[] = [
    ['throughput.svg', toBarPlot('Requests a second, 8 connections, MobileNetV2 224', names, toSpeedPoints(results))],
    ['open-loop.svg', toCurvePlot(results)],
    ['cold-start.svg', toBarPlot('Seconds after the start of the process', names, toStartPoints(results))],
    ['memory.svg', toBarPlot('Memory of the process tree (PSS), MB', names, toMemoryPoints(results))],
  ];
  return new Map(await Promise.all(specs.map(async ([name, spec]) => [name, await drawSvg(spec)] as const)));
}

function toPoint(panel: string, contender: string, values: readonly number[]): BarPoint[] {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return [];
  return [{ panel, contender, value: toMedian(known), low: toQuantile(known, 0), high: toQuantile(known, 1) }];
}

function toSpeedPoints({ contenders, throughput }: Results): BarPoint[] {
  return sizeNames.flatMap((size) => {
    const cell = findCell(throughput, { model: 'mobilenet-224', size, connections: 8 });
    return contenders.flatMap(({ name }) => {
      const those = cell.filter(({ contender }) => contender === name);
      return toPoint(
        size,
        name,
        those.map(({ perSecond }) => perSecond),
      );
    });
  });
}

function toStartPoints({ contenders, starts }: Results): BarPoint[] {
  const panels = { 'first verdict': 'firstVerdictMs', 'all workers ready': 'allReadyMs' } as const;
  return Object.entries(panels).flatMap(([panel, of]) =>
    contenders.flatMap(({ name }) =>
      toPoint(
        panel,
        name,
        starts.filter(({ contender }) => contender === name).map((figure) => figure[of] / 1000),
      ),
    ),
  );
}

function toMemoryPoints({ contenders, starts }: Results): BarPoint[] {
  return (['idle', 'loaded'] as const).flatMap((moment) =>
    contenders.flatMap(({ name }) => {
      const those = starts.filter(({ contender }) => contender === name);
      return toPoint(
        moment,
        name,
        those.map(({ memory }) => (memory?.[moment].pssBytes ?? NaN) / 1e6),
      );
    }),
  );
}

/** Bars with a line from the smallest to the largest round. */
function toBarPlot(title: string, names: readonly string[], points: readonly BarPoint[]): TopLevelSpec {
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const y = { field: 'contender', type: 'nominal', sort: [...names], title: null } as const;
  return {
    title: { text: title, anchor: 'middle' },
    background: 'white',
    data: { values: [...points] },
    facet: { field: 'panel', type: 'nominal', sort: panels, title: null },
    columns: 3,
    resolve: { scale: { x: 'independent' } },
    spec: {
      width: 180,
      height: { step: 18 },
      layer: [
        {
          mark: 'bar',
          encoding: {
            y,
            x: { field: 'value', type: 'quantitative', title: null },
            color: { field: 'contender', type: 'nominal', sort: [...names], legend: null },
          },
        },
        {
          mark: { type: 'rule', color: 'black' },
          encoding: { y, x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } },
        },
      ],
    },
  };
}

/** Time over the share of requests that were answered within it. */
function toCurvePlot({ openLoop }: Results): TopLevelSpec {
  const points = openLoop.flatMap(({ contender, share, accepted }) =>
    accepted.curve
      .filter(([percent, ms]) => percent > 0 && ms > 0)
      .map(([percent, ms]) => ({ panel: `${String(share * 100)} % of capacity`, contender, percent, ms })),
  );
  return {
    title: { text: 'Open loop: time of an answer from when its request was due', anchor: 'middle' },
    background: 'white',
    data: { values: points },
    facet: { field: 'panel', type: 'nominal', title: null },
    columns: 2,
    spec: {
      width: 260,
      height: 200,
      mark: { type: 'line', strokeWidth: 1.5 },
      encoding: {
        x: { field: 'percent', type: 'quantitative', title: 'percent of requests' },
        y: { field: 'ms', type: 'quantitative', title: 'ms', scale: { type: 'log' } },
        color: { field: 'contender', type: 'nominal', title: null },
      },
    },
  };
}
