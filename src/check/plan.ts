import type { Config } from '../config/schema.ts';
import { ServiceError } from '../errors.ts';
import { findVersion, type ModelStore } from '../model/model-store.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';
import { type AppliedPolicy, defaultPolicy, isKnownPolicy, toAppliedPolicy } from '../model/policy.ts';
import { findProfiles } from './picture-rules.ts';
import type { CheckRequest } from './types.ts';

/** What the names in a request refer to. */
export interface PlanOptions {
  readonly config: Pick<Config, 'check' | 'rules' | 'policies'>;
  readonly store: () => ModelStore;
}

/** A model and the policy that judges its scores. */
export interface PlannedModel {
  readonly model: ModelVersion;
  readonly policy: AppliedPolicy;
  /** Whether the answer names the policy: the request or the configuration chose one. */
  readonly isPolicyTold: boolean;
}

/** The models and rules that judge every image of a request. */
export interface CheckPlan {
  readonly models: readonly PlannedModel[];
  readonly profiles: readonly Config['rules'][string][];
}

/**
 * Resolves the models, rules and policy of a request.
 * @throws {@link ServiceError} ERR_MODEL_UNKNOWN, ERR_MODEL_UNAVAILABLE for a version whose manifest is broken,
 * ERR_RULES_UNKNOWN, ERR_POLICY_UNKNOWN
 */
export function toCheckPlan(
  options: PlanOptions,
  request: Pick<CheckRequest, 'models' | 'rules' | 'policy'>,
): CheckPlan {
  const { check, policies, rules } = options.config;
  const models = findModels(options, request.models);
  const profiles = findProfiles(rules, request.rules);
  const asked = request.policy ?? check.policy;
  if (request.policy !== undefined) assertKnown(models, policies, request.policy);
  const isPolicyTold = request.policy !== undefined || check.policy !== defaultPolicy;
  return {
    models: models.map((model) => ({ model, policy: toAppliedPolicy(model, policies, asked), isPolicyTold })),
    profiles,
  };
}

function findModels(options: PlanOptions, asked: readonly string[]): ModelVersion[] {
  const references = asked.length > 0 ? asked : options.config.check.models;
  const models = references.map((reference) => {
    const found = findVersion(options.store(), reference);
    if (found.kind === 'usable') return found.model;
    throw new ServiceError('ERR_MODEL_UNAVAILABLE', `model ${found.name}: ${found.reason}`, { retryAfterSeconds: 60 });
  });
  return [...new Map(models.map((model) => [toModelKey(model), model])).values()];
}

function assertKnown(models: readonly ModelVersion[], policies: Config['policies'], name: string): void {
  if (isKnownPolicy(models, policies, name)) return;
  const ours = models.flatMap(({ manifest }) => Object.keys(manifest.policies ?? {}));
  const known = [...new Set([defaultPolicy, ...ours, ...Object.keys(policies)])].join(', ');
  throw new ServiceError('ERR_POLICY_UNKNOWN', `no policy ${name}; known: ${known}`);
}
