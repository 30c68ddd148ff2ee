import type { Manifest } from './manifest.ts';
import type { ModelVersion } from './model-version.ts';

/** From best to worst; the verdict of a whole is the worst of its parts. */
export const verdicts = ['accept', 'review', 'reject'] as const;
export type Verdict = (typeof verdicts)[number];

/** From which scores on a label flags a picture; undefined for one that never does. */
export type Thresholds = Manifest['policy'][string] | undefined;

/** Thresholds by label. */
type Policy = Manifest['policy'];

/** Thresholds that an operator wrote: by policy, by model, by label. */
export type ConfiguredPolicies = Readonly<Record<string, Readonly<Record<string, Policy>>>>;

/** The policy that every model has. */
export const defaultPolicy = 'default';

/** What a model is judged by. */
export interface AppliedPolicy {
  readonly name: string;
  readonly thresholds: Policy;
}

/**
 * Looks up a policy of a model: what the operator wrote goes over the manifest, and labels that neither names keep the
 * thresholds of `default`. A model that has no such policy is judged by `default`.
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

/** Lists the policies that a model has, of its manifest and of the operator; `default` first. */
export function listPolicies({ name, manifest }: ModelVersion, configured: ConfiguredPolicies): string[] {
  const ours = Object.keys(configured).filter((policy) => lookUp(lookUp(configured, policy), name) !== undefined);
  return [...new Set([defaultPolicy, ...Object.keys(manifest.policies ?? {}), ...ours])];
}

/** Whether a policy is one of the operator's, or in the manifest of one of the models. */
export function isKnownPolicy(
  models: readonly ModelVersion[],
  configured: ConfiguredPolicies,
  wanted: string,
): boolean {
  const isOurs = models.some(({ manifest }) => lookUp(manifest.policies, wanted) !== undefined);
  return wanted === defaultPolicy || isOurs || lookUp(configured, wanted) !== undefined;
}

/** Names come from clients, and `constructor` is no policy. */
function lookUp<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Holds one label's score, 0…1, against its thresholds. */
export function judgeScore(score: number, { review, reject }: NonNullable<Thresholds> = {}): Verdict {
  const reaches = (threshold: number | undefined): boolean => threshold !== undefined && score >= threshold;
  return reaches(reject) ? 'reject' : reaches(review) ? 'review' : 'accept';
}

/** The worst of several verdicts; accept where there is none. */
export function toWorst(all: readonly Verdict[]): Verdict {
  return all.reduce<Verdict>(
    (worst, next) => (verdicts.indexOf(next) > verdicts.indexOf(worst) ? next : worst),
    'accept',
  );
}
