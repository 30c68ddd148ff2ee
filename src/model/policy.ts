import type { Manifest } from './manifest.ts';
import type { ModelVersion } from './model-version.ts';

/** From best to worst; an overall verdict is the worst of its parts. */
export const verdicts = ['accept', 'review', 'reject'] as const;
export type Verdict = (typeof verdicts)[number];

/** Scores from which a label flags an image; undefined for a label that never does. */
export type Thresholds = Manifest['policy'][string] | undefined;

/** Thresholds by label. */
type Policy = Manifest['policy'];

/** Thresholds from the configuration: by policy, by model, by label. */
export type ConfiguredPolicies = Readonly<Record<string, Readonly<Record<string, Policy>>>>;

/** The policy that every model has. */
export const defaultPolicy = 'default';

/** The thresholds in effect for a model. */
export interface AppliedPolicy {
  readonly name: string;
  readonly thresholds: Policy;
}

/**
 * Looks up a policy of a model. Configuration overrides the manifest; labels in neither use the thresholds of `default`, as
 * does a model without this policy.
 */
export function toAppliedPolicy(model: ModelVersion, configured: ConfiguredPolicies, wanted: string): AppliedPolicy {
  const { policy, policies } = model.manifest;
  const [ours, theirs] = [lookUp(policies, wanted), lookUp(lookUp(configured, wanted), model.name)];
  const changed = wanted === defaultPolicy ? undefined : lookUp(lookUp(configured, defaultPolicy), model.name);
  const isKnown = ours !== undefined || theirs !== undefined;
  const parts = [changed, ours, theirs].filter((part) => part !== undefined);
  const thresholds = parts.reduce<Policy>((before, part) => ({ ...before, ...part }), policy);
  return { name: isKnown ? wanted : defaultPolicy, thresholds };
}

/** Lists the policies of a model, from its manifest and the configuration; `default` first. */
export function listPolicies({ name, manifest }: ModelVersion, configured: ConfiguredPolicies): string[] {
  const ours = Object.keys(configured).filter((policy) => lookUp(lookUp(configured, policy), name) !== undefined);
  return [...new Set([defaultPolicy, ...Object.keys(manifest.policies ?? {}), ...ours])];
}

/** Whether a policy is in the configuration or in the manifest of one of the models. */
export function isKnownPolicy(
  models: readonly ModelVersion[],
  configured: ConfiguredPolicies,
  wanted: string,
): boolean {
  const isOurs = models.some(({ manifest }) => lookUp(manifest.policies, wanted) !== undefined);
  return wanted === defaultPolicy || isOurs || lookUp(configured, wanted) !== undefined;
}

/** Names come from clients: `constructor` must not match. */
function lookUp<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Compares one label's score, 0…1, with its thresholds. */
export function judgeScore(score: number, { review, reject }: NonNullable<Thresholds> = {}): Verdict {
  const reaches = (threshold: number | undefined): boolean => threshold !== undefined && score >= threshold;
  return reaches(reject) ? 'reject' : reaches(review) ? 'review' : 'accept';
}

/** The worst of several verdicts; accept for an empty list. */
export function toWorst(all: readonly Verdict[]): Verdict {
  return all.reduce<Verdict>(
    (worst, next) => (verdicts.indexOf(next) > verdicts.indexOf(worst) ? next : worst),
    'accept',
  );
}
