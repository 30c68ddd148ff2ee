import type { Config } from '../../config/schema.ts';
import type { HungModel, ModelSnapshot, WorkerSnapshot } from '../../ipc/messages.ts';
import type { RestartReason } from '../../metrics/primary-metrics.ts';
import type { Slot } from './slot.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** A worker as far as its replacement goes. */
export type ReplaceableWorker = Pick<
  WorkerHandle,
  'start' | 'stage' | 'forkedAt' | 'bootLimitMs' | 'hasReported' | 'snapshot' | 'isServing'
>;

/**
 * Lists the models that a slot's next worker loads before it listens: those that are loaded now, and those that judge
 * by default where a configuration or models that nobody has tried take over from what serves.
 */
export function listWarmModels(
  current: ReplaceableWorker | undefined,
  { check }: Config,
  reason: RestartReason,
): string[] {
  if (current === undefined) return [];
  const unproven = reason === 'reload' && current.isServing ? check.models : [];
  return [...new Set([...listLoaded(current), ...unproven])];
}

function listLoaded(current: ReplaceableWorker): string[] {
  // A worker that is still starting will have what it was told to load.
  if (current.stage === 'forked') return [...current.start.warm];
  const loaded = Object.entries(current.snapshot?.models ?? {}).filter(([, { state }]) => state === 'ready');
  return loaded.map(([name]) => name);
}

/** Says which versions serve by their bare names. */
export function listVersions({ models }: Pick<WorkerSnapshot, 'models'>): Record<string, string> {
  const bare = Object.entries(models).filter(([name]) => !name.includes('@'));
  return Object.fromEntries(bare.map(([name, { version }]) => [name, version]));
}

/** Lists the models that a slot's next worker is careful with: their loads hang. */
export function listHungModels(current: ReplaceableWorker | undefined): HungModel[] {
  return Object.entries(current?.snapshot?.models ?? {}).flatMap(([name, { version, reason = '', hangs }]) =>
    hangs === undefined ? [] : [{ key: `${name.replace(/@.*$/, '')}@${version}`, reason, hangs }],
  );
}

/**
 * Lets the next worker of a slot take over once it is fit, and ends it when it is not.
 * @returns the reason of the restart when it has taken over just now.
 */
export function promoteCandidate(slot: Slot): RestartReason | undefined {
  const { replacement, current } = slot;
  if (replacement === undefined || replacement.isPromoted || replacement.worker.isKilled) return undefined;
  const { worker, reason } = replacement;
  const judgement = judgeCandidate(worker, current);
  if (judgement === 'wait') return undefined;
  if (judgement !== 'fit') {
    replacement.failure = judgement.failure;
    worker.kill();
    return undefined;
  }
  replacement.isPromoted = true;
  slot.current = worker;
  slot.config = worker.start.config;
  slot.respawnAt = undefined;
  slot.death = undefined;
  if (current !== undefined) {
    slot.draining.add(current);
    current.drain('replaced');
  }
  return reason;
}

/** Completes a replacement whose former worker is gone, or whose next one is gone before it could take over. */
export function settleReplacement(slot: Slot): void {
  const { replacement } = slot;
  if (replacement === undefined) return;
  const { worker, isPromoted, failure, onSettled } = replacement;
  if (isPromoted ? slot.draining.size > 0 : worker.stage !== 'exited') return;
  slot.replacement = undefined;
  const end = isPromoted ? undefined : (failure ?? toRefusal(worker));
  for (const tell of onSettled) tell(end);
}

function toRefusal({ unable, killReason, ending }: WorkerHandle): string {
  return unable?.reason ?? (killReason === undefined ? ending : 'boot timeout');
}

/** Says whether a worker can take over from `current`. */
export function judgeCandidate(
  worker: ReplaceableWorker,
  current: ReplaceableWorker | undefined,
): 'wait' | 'fit' | { failure: string } {
  if (!worker.hasReported || worker.stage !== 'listening') return 'wait';
  // What it does not show is not on disk any more.
  const models = worker.start.warm.flatMap((name) => {
    const shown = findModel(worker.snapshot?.models ?? {}, name);
    return shown === undefined ? [] : [{ name, ...shown }];
  });
  const failed = models.find(({ reason }) => reason !== undefined);
  if (failed !== undefined) return { failure: `model ${failed.name} failed: ${failed.reason ?? 'no reason given'}` };
  if (current?.isServing === true && !worker.isServing) return { failure: 'it listens but does not serve' };
  if (models.every(({ state }) => state === 'ready')) return 'fit';
  const isLate = performance.now() - worker.forkedAt > worker.bootLimitMs;
  return isLate ? { failure: 'its models are not ready in time' } : 'wait';
}

/** Finds a model among those of a snapshot, which names the highest version by its bare name. */
function findModel(models: Readonly<Record<string, ModelSnapshot>>, reference: string): ModelSnapshot | undefined {
  const [name = '', version] = reference.split('@', 2);
  const highest = models[name];
  return models[reference] ?? (highest?.version === version ? highest : undefined);
}
