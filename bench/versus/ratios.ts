import type { BenchModel } from '../peers/contender.ts';
import type { SizeName } from './pictures.ts';
import type { Results } from './results.ts';
import type { Placed } from './rounds.ts';

type Contenders = Results['contenders'];
/** Beside whom this project is held. */
export type Rivals = 'python' | 'node' | 'peers';

/** Picks one cell of the closed loop. */
export interface CellName {
  readonly model: BenchModel;
  readonly size: SizeName;
  readonly connections: number;
}

/** Answers that were refused or broken, above which times of answers say nothing. */
const maxFailedShare = 0.01;

/** Figures of one cell, in the order of measuring. */
export function findCell(
  throughput: Results['throughput'],
  { model, size, connections }: CellName,
): Results['throughput'] {
  return throughput.filter(
    (figure) => figure.model === model && figure.size === size && figure.connections === connections,
  );
}

/**
 * Holds this project's figure against the best rival's of the same round. Rounds without either are left out.
 * @param best picks the best of the rivals' values
 */
export function toRoundRatios<Figure extends Placed<object>>(
  contenders: Contenders,
  figures: readonly Figure[],
  rivals: Rivals,
  of: (figure: Figure) => number,
  best: (...values: number[]) => number,
): number[] {
  const toKind = (figure: Figure) => contenders.find(({ name }) => name === figure.contender)?.kind;
  const isRival = (figure: Figure): boolean => {
    const kind = toKind(figure);
    return rivals === 'peers' ? kind === 'python' || kind === 'node' : kind === rivals;
  };
  const rounds = [...new Set(figures.map(({ round }) => round))];
  return rounds.flatMap((round) => {
    const those = figures.filter((figure) => figure.round === round);
    const own = those.find((figure) => toKind(figure) === 'own');
    // Whoever answered nothing in a slice is no mark.
    const values = those
      .filter(isRival)
      .map(of)
      .filter((value) => Number.isFinite(value) && value > 0);
    return own === undefined || values.length === 0 ? [] : of(own) / best(...values);
  });
}

/** Requests a second by the best rival's, round by round. */
export function toSpeedRatios({ contenders, throughput }: Results, cell: CellName, rivals: Rivals): number[] {
  return toRoundRatios(contenders, findCell(throughput, cell), rivals, ({ perSecond }) => perSecond, Math.max);
}

/**
 * Times of answers by a peer's; infinite where this project refused or broke more than a few requests.
 * @param by the peer that answered most of the round, or the lowest of any: a server that serves some connections and
 * lets others wait has a low median, and a high p99
 */
export function toLatencyRatios(
  { contenders, throughput }: Results,
  cell: CellName,
  of: 'p50Ms' | 'p99Ms',
  by: 'fastest' | 'lowest',
): number[] {
  const figures = findCell(throughput, cell);
  const isPeer = ({ contender }: { contender: string }): boolean =>
    contenders.some(({ name, kind }) => name === contender && kind !== 'own');
  const isMark = (figure: Results['throughput'][number]): boolean =>
    by === 'lowest' ||
    !figures.some((other) => isPeer(other) && other.round === figure.round && other.perSecond > figure.perSecond);
  const toTime = (figure: Results['throughput'][number]): number => {
    const failed = figure.refused + figure.broken;
    return failed > maxFailedShare * figure.answered ? Infinity : figure[of];
  };
  const marks = figures.filter((figure) => !isPeer(figure) || isMark(figure));
  return toRoundRatios(contenders, marks, 'peers', toTime, Math.min);
}

/** The server's CPU time a request by the limit's, measured beside it. */
export function toLimitRatios({ throughput }: Results, cell: CellName): number[] {
  return findCell(throughput, cell).flatMap(({ limit, cpuMsPerRequest }) =>
    limit === undefined ? [] : cpuMsPerRequest / limit.aloneCpuMs,
  );
}

/** Ranks the Python peers by their speed beside the fastest of the same cell and round, the best first. */
export function rankPeers(contenders: Contenders, figures: Results['throughput']): string[] {
  const python = new Set(contenders.filter(({ kind }) => kind === 'python').map(({ name }) => name));
  const shares = new Map<string, number[]>();
  for (const figure of figures.filter(({ contender }) => python.has(contender))) {
    const rivals = findCell(figures, figure).filter(
      ({ contender, round }) => python.has(contender) && round === figure.round,
    );
    const fastest = Math.max(...rivals.map(({ perSecond }) => perSecond));
    // Not every peer is in every cell: those that are in the slow ones only must not seem slow.
    const share = fastest > 0 ? figure.perSecond / fastest : 0;
    shares.set(figure.contender, [...(shares.get(figure.contender) ?? []), share]);
  }
  const toMean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return [...shares].toSorted(([, a], [, b]) => toMean(b) - toMean(a)).map(([name]) => name);
}
