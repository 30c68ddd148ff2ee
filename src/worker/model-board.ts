import type { Config } from '../config/schema.ts';
import type { InferenceService } from '../inference/inference-service.ts';
import type { EngineName, ModelSnapshot, ModelStatus } from '../ipc/messages.ts';
import { findVersion, type ModelStore, type StoredVersion } from '../model/model-store.ts';
import { listPolicies } from '../model/policy.ts';
import { hidePaths } from '../public-text.ts';

/** The state of one worker's models. */
export interface ModelBoard {
  /** @see WorkerSnapshot.models */
  toStatuses(): ModelStatus[];
  /** Whether no model of `check.models` has failed. */
  canServe(): boolean;
  /** Whether all models of `check.models` are loaded. */
  isReady(): boolean;
}

/** Creates the board over the models that are on disk. */
export function createModelBoard(
  store: () => ModelStore,
  { check, policies }: Pick<Config, 'check' | 'policies'>,
  engine: EngineName,
  inference: Pick<InferenceService, 'toSnapshot'>,
): ModelBoard {
  const toSnapshot = (stored: StoredVersion): ModelSnapshot =>
    stored.kind === 'usable'
      ? { ...inference.toSnapshot(stored.model), policies: listPolicies(stored.model, policies) }
      : { version: stored.version, engine, state: 'failed', reason: hidePaths(stored.reason) };
  const defaults = (): ModelSnapshot[] => check.models.map((reference) => toSnapshot(findVersion(store(), reference)));
  return {
    toStatuses() {
      const statuses = [...store()].flatMap(([name, versions]) =>
        versions.map((stored, index) => ({ ...toSnapshot(stored), name, isDefault: index === 0 })),
      );
      return statuses.filter(({ isDefault, state }) => isDefault || state !== 'cold');
    },
    // A failed model that is being loaded again still has its reason.
    canServe: () => defaults().every(({ reason }) => reason === undefined),
    isReady: () => defaults().every(({ state }) => state === 'ready'),
  };
}
