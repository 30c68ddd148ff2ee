import { toMedian } from '../statistics.ts';
import type { CellName } from './cell.ts';
import { type SizeName, sizeNames } from './pictures.ts';
import { toLatencyRatios, toLimitRatios, toRoundRatios, toSpeedRatios } from './ratios.ts';
import type { Results } from './results.ts';

/** What must hold, and how it is measured. */
interface Bar {
  readonly title: string;
  readonly bound: number;
  readonly isLeast: boolean;
  readonly unit: '×' | 'MB' | 'ms';
  /** One value a round. */
  readonly measure: (results: Results) => readonly number[];
}

/** A bar, and what was measured. */
export interface JudgedBar extends Omit<Bar, 'measure'> {
  readonly values: readonly number[];
  readonly median: number;
  /** Undefined where nothing was measured. */
  readonly isHeld: boolean | undefined;
}

const bySpeed: readonly (readonly [SizeName, python: number, node: number])[] = [
  ['640×480', 1.45, 2.7],
  ['1280×960', 2, 2.8],
  ['12 MP', 4.2, 3.2],
];

const bars: readonly Bar[] = [
  ...[8, 32].flatMap((connections) =>
    bySpeed.flatMap(([size, python, node]) => {
      const cell = toCell(size, connections);
      const place = `${size}, ${String(connections)} connections`;
      return [
        atLeast(`requests a second : best Python peer, ${place}`, python, (results) =>
          toSpeedRatios(results, cell, 'python'),
        ),
        atLeast(`requests a second : naive Node, ${place}`, node, (results) => toSpeedRatios(results, cell, 'node')),
      ];
    }),
  ),
  ...[1, 8, 32, 128].flatMap((connections) =>
    sizeNames.flatMap((size) =>
      (['p50Ms', 'p99Ms'] as const).map((of) =>
        atMost(`${of.slice(0, 3)} : fastest peer, ${size}, ${String(connections)} connections`, 1, (results) =>
          toLatencyRatios(results, toCell(size, connections), of, 'fastest'),
        ),
      ),
    ),
  ),
  ...sizeNames.map((size) =>
    atMost(`CPU a request : limit, ${size}`, 1.12, (results) => toLimitRatios(results, toCell(size, 8))),
  ),
  ...sizeNames.map((size) =>
    atMost(`CPU a request : limit, quality, ${size}`, 1.35, (results) =>
      toLimitRatios(results, { ...toCell(size, 8), model: 'quality' }),
    ),
  ),
  atMost('first verdict after start : fastest Python peer', 0.35, ({ contenders, starts }) =>
    toRoundRatios(contenders, starts, 'python', ({ firstVerdictMs }) => firstVerdictMs, Math.min),
  ),
  atMost('PSS, loaded : lowest Python peer', 0.75, ({ contenders, starts }) =>
    toRoundRatios(contenders, starts, 'python', ({ memory }) => memory?.loaded.pssBytes ?? NaN, Math.min).filter(
      Number.isFinite,
    ),
  ),
  {
    ...atMost('private memory of a worker, loaded', 250, toWorkerMegabytes),
    unit: 'MB',
  },
  atMost('p99 of the accepted at 3 × capacity : p99 at 90 %', 2, toOverloadRatio),
  { ...atMost('median time of a rejection at 3 × capacity', 20, toRejectionMs), unit: 'ms' },
];

/** Holds the results against all that must hold. */
export function judgeBars(results: Results): JudgedBar[] {
  return bars.map(({ measure, ...bar }) => {
    const values = measure(results);
    const median = toMedian(values);
    const isWithin = bar.isLeast ? median >= bar.bound : median <= bar.bound;
    return { ...bar, values, median, isHeld: values.length === 0 ? undefined : isWithin };
  });
}

function toCell(size: SizeName, connections: number): CellName {
  return { model: 'mobilenet-224', size, connections };
}

function atLeast(title: string, bound: number, measure: Bar['measure']): Bar {
  return { title, bound, isLeast: true, unit: '×', measure };
}

function atMost(title: string, bound: number, measure: Bar['measure']): Bar {
  return { title, bound, isLeast: false, unit: '×', measure };
}

function isOwn({ contenders }: Results, name: string): boolean {
  return contenders.some((contender) => contender.kind === 'own' && contender.name === name);
}

function toWorkerMegabytes(results: Results): number[] {
  return results.starts.flatMap(({ contender, memory }) =>
    isOwn(results, contender) && memory ? memory.loaded.workerPrivateBytes / 1e6 : [],
  );
}

function toOverloadRatio(results: Results): number[] {
  const near = results.openLoop.find(({ contender, share }) => isOwn(results, contender) && share === 0.9);
  return results.overload
    .filter(({ contender }) => near !== undefined && isOwn(results, contender))
    .map(({ accepted }) => accepted.p99Ms / (near?.accepted.p99Ms ?? NaN));
}

function toRejectionMs(results: Results): number[] {
  return results.overload
    .filter(({ contender, rejected }) => isOwn(results, contender) && rejected.count > 0)
    .map(({ rejected }) => rejected.p50Ms);
}
