import type { SizeName } from '../pictures.ts';
import type { Placed } from '../rounds.ts';
import type { Server } from '../server.ts';
import { measureSlice, type SliceFigure, type Stage, startAll, stopAll, toSizeLoad } from '../stage.ts';

/** Requests a second with one worker and with all. */
export interface ScalingFigure {
  readonly size: SizeName;
  readonly one: SliceFigure;
  readonly all: SliceFigure;
}

const size = '1280×960';
const connections = 8;

/** Holds one worker against all, in turns. */
export async function measureScaling(stage: Stage, servers: readonly Server[]): Promise<Placed<ScalingFigure>[]> {
  const { scalingRounds, scalingSeconds: seconds } = stage.plan;
  const contenders = servers.map(({ contender }) => contender);
  const single = await startAll(stage, contenders, 'mobilenet-224', 1);
  const figures: Placed<ScalingFigure>[] = [];
  const load = { ...toSizeLoad(stage, size), connections, seconds };
  try {
    for (let round = 0; round < scalingRounds; round += 1) {
      for (const alone of single) {
        const server = servers.find(({ contender }) => contender === alone.contender);
        if (server === undefined) continue;
        const one = await measureSlice(stage, alone, load);
        const all = await measureSlice(stage, server, load);
        figures.push({ size, one, all, contender: alone.contender.name, round });
      }
    }
  } finally {
    await stopAll(single);
  }
  return figures;
}
