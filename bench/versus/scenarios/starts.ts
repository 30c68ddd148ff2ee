import type { Contender } from '../../peers/contender.ts';
import { type Placed, playRounds } from '../rounds.ts';
import { startServer } from '../server.ts';
import { noteFailure, type Stage, workerCount } from '../stage.ts';
import { measureColdStart, type StartFigure } from './cold-start.ts';
import { measureMemory, type MemoryFigure } from './memory.ts';

/** One start, and what was held then; the memory of the first rounds only. */
export type VisitFigure = StartFigure & { readonly memory?: MemoryFigure };

/** Starts one contender after the other, each alone on the machine. */
export function measureStarts(stage: Stage, contenders: readonly Contender[]): Promise<Placed<VisitFigure>[]> {
  const { coldStarts, memoryRounds } = stage.plan;
  return playRounds(
    contenders.map((contender) => ({ contender })),
    {
      rounds: coldStarts,
      measure: async ({ contender }, round) => {
        const server = await startServer(contender, 'mobilenet-224', workerCount);
        try {
          const figure = await measureColdStart(stage, server);
          console.log(`  ${contender.name}: first verdict after ${figure.firstVerdictMs.toFixed(0)} ms`);
          return round < memoryRounds ? { ...figure, memory: await measureMemory(stage, server) } : figure;
        } finally {
          await server.group.kill();
        }
      },
      rank: ({ firstVerdictMs }) => -firstVerdictMs,
      onBroken: (name, reason) => {
        noteFailure(stage, 'cold start', name, reason);
      },
    },
  );
}
