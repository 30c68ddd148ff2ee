import { type CellName, findCell } from './cell.ts';
import type { Results } from './results.ts';
import type { Placed } from './rounds.ts';

type Contenders = Results['contenders'];
/** Beside whom this project is held. */
export type Rivals = 'python' | 'node' | 'peers';

/** Answers that were refused or broken, above which times of answers say nothing. */
const maxFailedShare = 0.01;

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
    // A contender without answers in a slice is no reference.
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
