import type { ModelSnapshot } from '../../ipc/messages.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** A worker as far as its replacement goes. */
export type ReplaceableWorker = Pick<
  WorkerHandle,
  'start' | 'stage' | 'forkedAt' | 'bootLimitMs' | 'hasReported' | 'snapshot' | 'isServing'
>;

/** Decides from the last snapshot of a candidate whether it can take over from `current`. */
export function judgeCandidate(
  candidate: ReplaceableWorker,
  current: ReplaceableWorker | undefined,
): 'wait' | 'fit' | { failure: string } {
  if (!candidate.hasReported || candidate.stage !== 'listening') return 'wait';
  // A model that it does not show is no longer on disk.
  const models = candidate.start.warm.flatMap((name) => {
    const shown = findModel(candidate.snapshot?.models ?? {}, name);
    return shown === undefined ? [] : [{ name, ...shown }];
  });
  const failed = models.find(({ reason }) => reason !== undefined);
  if (failed !== undefined) return { failure: `model ${failed.name} failed: ${failed.reason ?? 'no reason given'}` };
  if (current?.isServing === true && !candidate.isServing) return { failure: 'it listens but does not serve' };
  if (models.every(({ state }) => state === 'ready')) return 'fit';
  const isLate = performance.now() - candidate.forkedAt > candidate.bootLimitMs;
  return isLate ? { failure: 'its models are not ready in time' } : 'wait';
}

/** Finds a model among those of a snapshot, which names the highest version by its bare name. */
function findModel(models: Readonly<Record<string, ModelSnapshot>>, reference: string): ModelSnapshot | undefined {
  const [name = '', version] = reference.split('@', 2);
  const highest = models[name];
  return models[reference] ?? (highest?.version === version ? highest : undefined);
}
