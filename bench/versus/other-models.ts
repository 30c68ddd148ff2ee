import { rankPeers } from './peer-ranking.ts';
import type { Results } from './results.ts';
import type { Limit } from './scenarios/limit.ts';
import { compareServers } from './scenarios/scores.ts';
import { measureThroughput } from './scenarios/throughput.ts';
import { type Stage, startAll, stopAll } from './stage.ts';
import type { Run } from './timing.ts';

/** Measures the closed loop with the shipped model and with the small one, beside the best peers with MobileNetV2. */
export async function measureOtherModels(
  stage: Stage,
  before: Results['throughput'],
  limit: Limit,
  run: Run,
): Promise<Pick<Results, 'scores' | 'throughput'>> {
  const ranked = rankPeers(stage.contenders, before).slice(0, stage.plan.bestPeers);
  const chosen = stage.contenders.filter(({ kind, name }) => kind !== 'python' || ranked.includes(name));
  const scores: Results['scores'][number][] = [];
  const throughput: Results['throughput'][number][] = [];
  for (const model of ['quality', 'mobilenet-96'] as const) {
    const cells = stage.plan.cells.filter((cell) => cell.model === model);
    await run(model, async () => {
      const servers = await startAll(stage, chosen, model);
      try {
        scores.push(...(await compareServers(stage, servers)));
        throughput.push(...(await measureThroughput(stage, servers, cells, limit, before)));
      } finally {
        await stopAll(servers);
      }
    });
  }
  return { scores, throughput };
}
