import type { Config } from '../../config/schema.ts';
import type { HungModel, WorkerSnapshot } from '../../ipc/messages.ts';
import { toModelReference } from '../../ipc/model-reference.ts';
import type { RestartReason } from '../../metrics/primary-metrics.ts';
import type { ReplaceableWorker } from './candidate.ts';
import type { WorkerStart } from './worker-handle.ts';

/** What a worker knows of models from the one before. */
export type Inheritance = Pick<WorkerStart, 'warm' | 'hung' | 'versions'>;

/**
 * Lists the models that a candidate loads before it listens: those that are loaded now, and at a reload those that judge
 * by default, so that an untried configuration or model proves itself before it takes over.
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
  // A worker that is still starting will load what it was started with.
  if (current.stage === 'forked') return [...current.start.warm];
  const loaded = (current.snapshot?.models ?? []).filter(({ state }) => state === 'ready');
  return loaded.map(toModelReference);
}

/** Maps each name to the version that serves by it. */
export function listVersions({ models }: Pick<WorkerSnapshot, 'models'>): Record<string, string> {
  const defaults = models.filter(({ isDefault }) => isDefault);
  return Object.fromEntries(defaults.map(({ name, version }) => [name, version]));
}

/** Lists the models whose loads hang: the next worker of the slot waits before it tries them again. */
export function listHungModels(current: ReplaceableWorker | undefined): HungModel[] {
  const models = current?.snapshot?.models ?? [];
  return models.flatMap(({ name, version, reason = '', hangs }) =>
    hangs === undefined ? [] : [{ name, version, reason, hangs }],
  );
}
