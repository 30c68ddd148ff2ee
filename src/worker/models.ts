import type { Config } from '../config/schema.ts';
import { toMessage } from '../errors.ts';
import type { Logger } from '../log.ts';
import { assertPolicies } from '../model/configured-policies.ts';
import { createLiveStore, type LiveStore } from '../model/live-store.ts';
import { assertDefaults, loadModelStore, type PreferredVersions } from '../model/model-store.ts';

/**
 * Opens the models folder and logs what is wrong with it.
 * @throws ExitError 78 where the folder or `check.models` is invalid
 */
export function openModels(config: Config, log: Logger, versions?: PreferredVersions): LiveStore {
  const found = loadModelStore(config.models.dir, versions);
  assertDefaults(found, config.check.models);
  for (const stored of [...found.values()].flat()) {
    if (stored.kind === 'broken') {
      log.error({ model: stored.name, version: stored.version, reason: stored.reason }, 'a model failed to load');
    }
  }
  const { store, refreshPolicies } = createLiveStore(found, (fault) => {
    log.error(fault);
  });
  const logPolicyFaults = (): void => {
    try {
      assertPolicies(store(), config.policies, config.check.policy);
    } catch (thrown) {
      log.error(`default thresholds apply instead: ${toMessage(thrown)}`);
    }
  };
  logPolicyFaults();
  return { store, refreshPolicies: () => refreshPolicies().then(logPolicyFaults) };
}
