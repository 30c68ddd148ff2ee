import type { Contender } from '../peers/contender.ts';
import { type CellName, findCell } from './cell.ts';
import type { Placed } from './rounds.ts';

type Speed = Placed<CellName & { readonly perSecond: number }>;

/** Ranks the Python peers by their speed beside the fastest of the same cell and round, the best first. */
export function rankPeers(
  contenders: readonly Pick<Contender, 'name' | 'kind'>[],
  figures: readonly Speed[],
): string[] {
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
