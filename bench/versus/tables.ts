import { toMarkdownTable } from '../../src/train/card/markdown-table.ts';
import type { BenchModel } from '../peers/contender.ts';
import { toMedian, toQuantile } from '../statistics.ts';
import type { JudgedBar } from './bars.ts';
import { type CellName, findCell } from './cell.ts';
import { type SizeName, sizeNames } from './pictures.ts';
import { toLatencyRatios, toLimitRatios, toSpeedRatios } from './ratios.ts';
import type { Results } from './results.ts';

/** The median, and where there are several values the smallest and the largest. */
export function toSpread(values: readonly number[], digits = 0): string {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return '';
  const median = toMedian(known).toFixed(digits);
  if (known.length === 1) return median;
  return `${median} (${toQuantile(known, 0).toFixed(digits)}–${toQuantile(known, 1).toFixed(digits)})`;
}

/** All bars, what was measured and whether they hold. */
export function toBarTable(bars: readonly JudgedBar[]): string {
  const rows = bars.map(({ title, bound, isLeast, unit, values, median, isHeld }) => {
    const digits = unit === '×' ? 2 : 0;
    const outcome = isHeld === undefined ? 'not measured' : isHeld ? 'held' : '**missed**';
    const shown = values.length > 0 && !Number.isFinite(median) ? 'too few answers' : toSpread(values, digits);
    return [title, `${isLeast ? '≥' : '≤'} ${String(bound)} ${unit}`, shown, String(values.length), outcome];
  });
  return toMarkdownTable(['what', 'bar', 'median (from–to)', 'rounds', ''], rows);
}

/** One size of one model: requests a second, times and CPU of every contender. */
export function toCellTable(results: Results, cell: CellName): string {
  const figures = findCell(results.throughput, cell);
  const names = results.contenders.map(({ name }) => name).filter((name) => figures.some((f) => f.contender === name));
  const rows = names.map((name) => {
    const those = figures.filter(({ contender }) => contender === name);
    const toCell = (of: 'perSecond' | 'p50Ms' | 'p99Ms' | 'cpuMsPerRequest', digits = 0): string =>
      toSpread(
        those.map((figure) => figure[of]),
        digits,
      );
    const failed = those.reduce((sum, { refused, broken }) => sum + refused + broken, 0);
    const cells = [toCell('perSecond', 1), toCell('p50Ms'), toCell('p99Ms'), toCell('cpuMsPerRequest', 1)];
    return [name, ...cells, String(failed), String(those.length)];
  });
  return toMarkdownTable(
    ['contender', 'requests/s', 'p50, ms', 'p99, ms', 'CPU ms/request', 'not 2xx', 'rounds'],
    rows,
  );
}

/** The limit beside what was reached, model by model and size by size. */
export function toLimitTable(results: Results): string {
  const cells = [...new Set(results.throughput.filter(({ limit }) => limit).map(({ model }) => model))].flatMap(
    (model) => sizeNames.map((size): CellName => ({ model, size, connections: 8 })),
  );
  const rows = cells.flatMap((cell) => {
    const figures = findCell(results.throughput, cell).flatMap(({ limit, ...own }) => (limit ? { limit, own } : []));
    if (figures.length === 0) return [];
    return [
      [
        `${cell.model}, ${cell.size}`,
        toSpread(
          figures.map(({ limit }) => limit.aloneCpuMs),
          1,
        ),
        toSpread(
          figures.map(({ limit }) => limit.togetherCpuMs),
          1,
        ),
        toSpread(
          figures.map(({ own }) => own.cpuMsPerRequest),
          1,
        ),
        toSpread(toLimitRatios(results, cell), 2),
        toSpread(figures.map(({ limit }) => 2000 / limit.togetherWallMs)),
        toSpread(figures.map(({ own }) => own.perSecond)),
        toSpread(figures.map(({ limit }) => limit.peakPrivateBytes / 1e6)),
      ],
    ];
  });
  const head = [
    ...['model, size', 'limit, CPU ms', 'two at once, CPU ms', 'image-check, CPU ms', 'image-check : limit'],
    ...['two at once, images/s', 'image-check, requests/s', 'limit, private MB'],
  ];
  return toMarkdownTable(head, rows);
}

/** Ratios of requests a second and of times, model by model. */
export function toRatioTable(results: Results): string {
  const keys = new Map<string, CellName>();
  for (const { model, size, connections } of results.throughput) {
    keys.set(`${model} ${size} ${String(connections)}`, { model, size, connections });
  }
  const rows = [...keys.values()]
    .toSorted((a, b) => orderCells(a, b))
    .map((cell) => [
      cell.model,
      cell.size,
      String(cell.connections),
      toSpread(toSpeedRatios(results, cell, 'python'), 2),
      toSpread(toSpeedRatios(results, cell, 'node'), 2),
      toSpread(toLatencyRatios(results, cell, 'p50Ms', 'lowest'), 2),
      toSpread(toLatencyRatios(results, cell, 'p99Ms', 'lowest'), 2),
    ]);
  const head = [
    ...['model', 'size', 'connections', 'requests/s : best Python peer', 'requests/s : naive Node'],
    ...['p50 : lowest of any peer', 'p99 : lowest of any peer'],
  ];
  return toMarkdownTable(head, rows);
}

const models: readonly BenchModel[] = ['mobilenet-224', 'quality', 'mobilenet-96'];

/** By model, size and connections. */
export function orderCells(a: CellName, b: CellName): number {
  const rank = ({ model, size, connections }: CellName): number =>
    (models.indexOf(model) * sizeNames.length + sizeNames.indexOf(size)) * 1000 + connections;
  return rank(a) - rank(b);
}

/** Starts and memory. */
export function toStartTable({ contenders, starts }: Results): string {
  const megabytes = (bytes: readonly (number | undefined)[]): string =>
    toSpread(bytes.map((value) => (value ?? NaN) / 1e6));
  const rows = contenders.flatMap(({ name }) => {
    const those = starts.filter(({ contender }) => contender === name);
    if (those.length === 0) return [];
    const seconds = (of: 'listeningMs' | 'firstVerdictMs' | 'allReadyMs'): string =>
      toSpread(
        those.map((figure) => figure[of] / 1000),
        2,
      );
    return [
      [
        name,
        seconds('listeningMs'),
        seconds('firstVerdictMs'),
        seconds('allReadyMs'),
        megabytes(those.map(({ memory }) => memory?.idle.pssBytes)),
        megabytes(those.map(({ memory }) => memory?.loaded.pssBytes)),
        megabytes(those.map(({ memory }) => memory?.loaded.privateBytes)),
        megabytes(those.map(({ memory }) => memory?.loaded.workerPrivateBytes)),
      ],
    ];
  });
  const head = [
    ...['contender', 'listening, s', 'first verdict, s', 'all ready, s', 'PSS idle, MB', 'PSS loaded, MB'],
    ...['private loaded, MB', 'largest worker, private MB'],
  ];
  return toMarkdownTable(head, rows);
}

/** The sizes of the files that were uploaded. */
export function describeSizes(bytes: Readonly<Record<SizeName, readonly number[]>>): string {
  return sizeNames
    .map((size) => `${size} of ${Math.min(...bytes[size]).toFixed(0)} to ${Math.max(...bytes[size]).toFixed(0)} kB`)
    .join(', ');
}
