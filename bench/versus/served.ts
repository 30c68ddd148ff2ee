import { toMedian } from '../statistics.ts';
import { findCell } from './cell.ts';
import type { PacedLoad } from './open-loop.ts';
import { rankPeers } from './peer-ranking.ts';
import type { Results } from './results.ts';
import { measureEventLoop } from './scenarios/event-loop.ts';
import { measureForms } from './scenarios/forms.ts';
import { measureLargeUploads } from './scenarios/large-uploads.ts';
import type { Limit } from './scenarios/limit.ts';
import { measurePace, type OpenFigure } from './scenarios/open-loop.ts';
import { measureScaling } from './scenarios/scaling.ts';
import { compareServers } from './scenarios/scores.ts';
import { measureThroughput } from './scenarios/throughput.ts';
import type { Server } from './server.ts';
import { noteFailure, type Stage, startAll, stopAll } from './stage.ts';
import type { Run } from './timing.ts';

const model = 'mobilenet-224';
const openSize = '640×480';
/** So many connections keep all workers busy: what they get through is the capacity. */
const busyConnections = 32;
const calmShares = [0.5, 0.9] as const;
const overloadShare = 3;

type Served = Pick<
  Results,
  'scores' | 'throughput' | 'openLoop' | 'overload' | 'largeUploads' | 'forms' | 'eventLoop' | 'scaling'
>;

/** Measures everything with MobileNetV2 224, all contenders running: those that are not asked take no CPU. */
export async function measureServed(stage: Stage, limit: Limit, load: PacedLoad, run: Run): Promise<Served> {
  const { plan, contenders } = stage;
  const servers = await run('start of all', () => startAll(stage, contenders, model));
  try {
    const [own, ...peers] = servers;
    if (own?.contender.kind !== 'own') throw new Error('the first contender is not of this project');
    const scores = await run('scores', () => compareServers(stage, servers));
    const cells = plan.cells.filter((cell) => cell.model === model);
    const throughput = await run('closed loop', () => measureThroughput(stage, servers, cells, limit));
    const best = [own, ...chooseBest(peers, rankPeers(stage.contenders, throughput).slice(0, plan.bestPeers))];
    return {
      scores,
      throughput,
      openLoop: await run('open loop', () => measurePaces(stage, load, best, throughput, calmShares, plan.openSeconds)),
      overload: await run('three times the capacity', () =>
        measurePaces(stage, load, best.slice(0, 3), throughput, [overloadShare], plan.overloadSeconds),
      ),
      largeUploads: await run('large files', () => measureLargeUploads(stage, best)),
      forms: await run('eight images in a request', () => measureForms(stage, own)),
      eventLoop: await run('event loop', () => measureEventLoop(stage, own)),
      scaling: await run('one worker and two', () => measureScaling(stage, best.slice(0, plan.bestPeers))),
    };
  } finally {
    await stopAll(servers);
  }
}

/** The best Python peer, the naive Node service, the next best Python peer. */
function chooseBest(peers: readonly Server[], ranked: readonly string[]): Server[] {
  const [first, ...others] = ranked;
  const node = peers.filter(({ contender }) => contender.kind === 'node').map(({ contender }) => contender.name);
  const names = [...(first === undefined ? [] : [first]), ...node, ...others];
  return names.flatMap((name) => peers.find(({ contender }) => contender.name === name) ?? []);
}

async function measurePaces(
  stage: Stage,
  load: PacedLoad,
  servers: readonly Server[],
  throughput: Results['throughput'],
  shares: readonly number[],
  seconds: number,
): Promise<OpenFigure[]> {
  const figures: OpenFigure[] = [];
  const cell = findCell(throughput, { model, size: openSize, connections: busyConnections });
  for (const share of shares) {
    for (const server of servers) {
      const { name, kind } = server.contender;
      const capacity = toMedian(cell.filter(({ contender }) => contender === name).map(({ perSecond }) => perSecond));
      try {
        if (!(capacity > 0)) throw new Error('its capacity is not known');
        figures.push(await measurePace(stage, load, server, { size: openSize, share, capacity, seconds }));
      } catch (thrown) {
        if (kind === 'own') throw thrown;
        noteFailure(stage, `open loop at ${String(share)} × capacity`, name, thrown);
      }
    }
  }
  return figures;
}
