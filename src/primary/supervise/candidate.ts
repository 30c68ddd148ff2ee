import { isReferredTo } from '../../ipc/model-reference.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** What a replacement is decided by. */
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
  const models = candidate.start.warm.flatMap((reference) => {
    const shown = candidate.snapshot?.models.find((model) => isReferredTo(model, reference));
    return shown === undefined ? [] : [{ ...shown, reference }];
  });
  const failed = models.find(({ reason }) => reason !== undefined);
  if (failed !== undefined) {
    return { failure: `model ${failed.reference} failed: ${failed.reason ?? 'no reason given'}` };
  }
  if (current?.isServing === true && !candidate.isServing) return { failure: 'it listens but does not serve' };
  if (models.every(({ state }) => state === 'ready')) return 'fit';
  const isLate = performance.now() - candidate.forkedAt > candidate.bootLimitMs;
  return isLate ? { failure: 'its models are not ready in time' } : 'wait';
}
