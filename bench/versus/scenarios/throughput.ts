import type { BenchModel } from '../../peers/contender.ts';
import { rankPeers } from '../peer-ranking.ts';
import type { SizeName } from '../pictures.ts';
import type { Cell } from '../plan.ts';
import { type Placed, playRounds } from '../rounds.ts';
import type { Server } from '../server.ts';
import { measureSlice, noteFailure, type SliceFigure, type Stage, toSizeLoad } from '../stage.ts';
import type { Limit, LimitFigure } from './limit.ts';

/** A slice of one cell; beside this project's own stands the limit of the same round. */
export interface CellFigure extends SliceFigure {
  readonly model: BenchModel;
  readonly size: SizeName;
  readonly connections: number;
  readonly limit?: LimitFigure;
}

/** At so many connections the workers are busy, and next to nothing waits: the limit is measured beside it. */
const limitConnections = 8;

/**
 * Measures the cells of one model, each in rounds.
 * @param before - figures of another model, by which the best are chosen as well
 */
export async function measureThroughput(
  stage: Stage,
  servers: readonly Server[],
  cells: readonly Cell[],
  limit: Limit,
  before: readonly Placed<CellFigure>[] = [],
): Promise<Placed<CellFigure>[]> {
  const figures: Placed<CellFigure>[] = [];
  for (const cell of cells) {
    const field = cell.field === 'all' ? servers : chooseBest(stage, servers, [...before, ...figures], cell.size);
    const played = await measureCell(stage, field, cell, limit);
    figures.push(...played);
    const speeds = played
      .filter(({ round }) => round === 0)
      .map(({ contender, perSecond }) => `${contender} ${perSecond.toFixed(0)}`);
    console.log(
      `  ${cell.model}, ${cell.size}, ${String(cell.connections)} connections: ${speeds.join(', ')} requests a second`,
    );
  }
  return figures;
}

/** This project, the naive Node service, and the best Python peers with pictures of a size as far as it is known. */
function chooseBest(
  { contenders, plan }: Stage,
  servers: readonly Server[],
  figures: readonly Placed<CellFigure>[],
  size: SizeName,
): Server[] {
  const ofSize = figures.filter((figure) => figure.size === size);
  const names = rankPeers(contenders, ofSize.length > 0 ? ofSize : figures).slice(0, plan.bestPeers);
  return servers.filter(({ contender: { kind, name } }) => kind !== 'python' || names.includes(name));
}

function measureCell(
  stage: Stage,
  servers: readonly Server[],
  { model, size, connections, rounds, seconds }: Cell,
  limit: Limit,
): Promise<Placed<CellFigure>[]> {
  return playRounds<Server, CellFigure>(servers, {
    rounds,
    measure: async (server) => {
      const slice = await measureSlice(stage, server, { ...toSizeLoad(stage, size), connections, seconds });
      const figure = { ...slice, model, size, connections };
      const isBeside = server.contender.kind === 'own' && connections === limitConnections;
      return isBeside ? { ...figure, limit: await limit.measure(model, size) } : figure;
    },
    rank: ({ perSecond }) => perSecond,
    onBroken: (name, reason) => {
      noteFailure(stage, `${model}, ${size}, ${String(connections)} connections`, name, reason);
    },
  });
}
