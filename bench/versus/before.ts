// This checkout beside an earlier one in one run: do its requests take longer?
//   npm run bench:before -- DIR   DIR: a checkout of the earlier commit with its node_modules
// --rounds N: slices of each cell; --photos DIR: pictures are made from the photographs of a folder
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../../src/cli/project.ts';
import { toMarkdownTable } from '../../src/train/card/markdown-table.ts';
import { exitOnSignal } from '../exit-on-signal.ts';
import { toCheckout } from '../peers/contenders.ts';
import { toMedian } from '../statistics.ts';
import { makePictures, type SizeName, sizeNames } from './pictures.ts';
import { quickPlan } from './plan.ts';
import { type Placed, playRounds } from './rounds.ts';
import { createStage, measureSlice, type SliceFigure, type Stage, startAll, stopAll, toSizeLoad } from './stage.ts';

const connectionCounts = [1, 8, 32];
const sliceSeconds = 3;
const pictureCount = 4;

exitOnSignal();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '6' }, photos: { type: 'string' } },
});
const [earlier] = positionals;
if (earlier === undefined) throw new Error('give the folder of the earlier checkout');
const dir = mkdtempSync(path.join(os.tmpdir(), 'image-check-bench-'));
process.on('exit', () => {
  rmSync(dir, { recursive: true, force: true });
});
const contenders = [toCheckout('now', projectRoot), toCheckout('before', path.resolve(earlier))];
const pictures = await makePictures(dir, values.photos, pictureCount);
const stage = createStage({ plan: quickPlan, dir, pictures, contenders });
console.log(await compare(stage, Number(values.rounds)));
process.exit();

/** @returns a table of ratios, now by before: the median of those of each round */
async function compare(stage: Stage, rounds: number): Promise<string> {
  const servers = await startAll(stage, stage.contenders, 'quality');
  try {
    const rows: string[][] = [];
    for (const size of sizeNames) {
      for (const connections of connectionCounts) {
        const load = { ...toSizeLoad(stage, size), connections, seconds: sliceSeconds };
        const played = await playRounds(servers, {
          rounds,
          measure: (server) => measureSlice(stage, server, load),
          rank: ({ perSecond }) => perSecond,
          onBroken: (name, reason) => {
            throw new Error(`${name} fails`, { cause: reason });
          },
        });
        rows.push(toRow(size, connections, played));
        console.log(rows.at(-1)?.join('  '));
      }
    }
    return toMarkdownTable(
      ['pictures', 'connections', 'requests a second', 'p50', 'p99', 'CPU a request', 'not answered: now, before'],
      rows,
    );
  } finally {
    await stopAll(servers);
  }
}

function toRow(size: SizeName, connections: number, played: readonly Placed<SliceFigure>[]): string[] {
  const [now, before] = ['now', 'before'].map((name) => played.filter(({ contender }) => contender === name));
  const toRatio = (of: (figure: SliceFigure) => number): string => {
    const ratios = (now ?? []).flatMap((figure) => {
      const beside = before?.find(({ round }) => round === figure.round);
      return beside === undefined ? [] : of(figure) / of(beside);
    });
    return toMedian(ratios).toFixed(3);
  };
  const failed = [now, before].map((figures) =>
    String((figures ?? []).reduce((sum, { refused, broken }) => sum + refused + broken, 0)),
  );
  return [
    size,
    String(connections),
    toRatio(({ perSecond }) => perSecond),
    toRatio(({ p50Ms }) => p50Ms),
    toRatio(({ p99Ms }) => p99Ms),
    toRatio(({ cpuMsPerRequest }) => cpuMsPerRequest),
    failed.join(', '),
  ];
}
