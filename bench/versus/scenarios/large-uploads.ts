import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Contender } from '../../peers/contender.ts';
import { toUpload } from '../../upload.ts';
import { type Placed, playRounds } from '../rounds.ts';
import type { Server } from '../server.ts';
import { measureSlice, noteFailure, type SliceFigure, type Stage } from '../stage.ts';

/** Uploads of one large file. */
export interface LargeFigure extends SliceFigure {
  readonly file: string;
  readonly bytes: number;
}

const connections = 8;

/** Uploads a large JPEG and a PNG, each again and again. */
export async function measureLargeUploads(stage: Stage, servers: readonly Server[]): Promise<Placed<LargeFigure>[]> {
  const figures: Placed<LargeFigure>[] = [];
  for (const [file, type] of [
    [stage.pictures.largeJpeg, 'image/jpeg'],
    [stage.pictures.largePng, 'image/png'],
  ] as const) {
    const name = path.basename(file);
    const uploads = ({ body }: Contender) => [toUpload(body, [readFileSync(file)], type)];
    const load = { name, uploads, connections, seconds: stage.plan.largeSeconds };
    const played = await playRounds(servers, {
      rounds: 1,
      measure: async (server) => {
        const slice = await measureSlice(stage, server, load);
        return { ...slice, file: name, bytes: statSync(file).size };
      },
      rank: ({ perSecond }) => perSecond,
      onBroken: (contender, reason) => {
        noteFailure(stage, name, contender, reason);
      },
    });
    figures.push(...played);
  }
  return figures;
}
