import { exitCodes, ExitError } from '../errors.ts';
import type { ModelStore } from './model-store.ts';
import type { ModelVersion } from './model-version.ts';
import { type ConfiguredPolicies, isKnownPolicy } from './policy.ts';

/**
 * Checks that the operator's policies name existing models and labels: a misspelt one would never flag anything. A model
 * without a readable version accepts any label.
 * @param wanted `check.policy`
 * @throws {@link ExitError} 78, all faults in one line
 */
export function assertPolicies(store: ModelStore, policies: ConfiguredPolicies, wanted: string): void {
  const faults = Object.entries(policies).flatMap(([policy, models]) =>
    Object.entries(models).flatMap(([model, thresholds]) =>
      listFaults(store, model, Object.keys(thresholds)).map((fault) => `policies.${policy}.${model}: ${fault}`),
    ),
  );
  const all = [...store.keys()].flatMap((name) => listUsable(store, name));
  if (!isKnownPolicy(all, policies, wanted)) faults.push(`check.policy: there is no policy ${wanted}`);
  if (faults.length > 0) throw new ExitError(exitCodes.configuration, `configuration: ${faults.join('; ')}`);
}

function listFaults(store: ModelStore, model: string, labels: readonly string[]): string[] {
  if (!store.has(model)) return [`no such model; there are: ${[...store.keys()].join(', ')}`];
  const known = listUsable(store, model).flatMap(({ manifest }) => manifest.output.labels);
  if (known.length === 0) return [];
  const unknown = labels.filter((label) => !known.includes(label));
  return unknown.map((label) => `the model has no label ${label}`);
}

function listUsable(store: ModelStore, model: string): ModelVersion[] {
  return (store.get(model) ?? []).flatMap((stored) => (stored.kind === 'usable' ? [stored.model] : []));
}
