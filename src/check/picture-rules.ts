import type { Config } from '../config/schema.ts';
import { ServiceError } from '../errors.ts';
import type { ImageFacts } from '../image/types.ts';
import type { RuleName, RuleResult } from './types.ts';

type Profiles = Config['rules'];
type Profile = Profiles[string];

/** What the header of a picture says. */
export interface RuledPicture extends ImageFacts {
  readonly isAnimated: boolean;
}

/** Holds for an upload that names no profile, where the operator has one of this name. */
const defaultProfile = 'default';

/**
 * Finds the profiles that an upload is held against.
 * @param asked names from the request
 * @throws {@link ServiceError} ERR_RULES_UNKNOWN
 */
export function findProfiles(profiles: Profiles, asked: readonly string[]): Profile[] {
  // Names come from clients, and `constructor` is no profile.
  const find = (name: string): Profile | undefined => (Object.hasOwn(profiles, name) ? profiles[name] : undefined);
  if (asked.length === 0) return [find(defaultProfile) ?? []].flat();
  return asked.map((name) => {
    const profile = find(name);
    if (profile) return profile;
    const known = Object.keys(profiles).join(', ');
    throw new ServiceError('ERR_RULES_UNKNOWN', `no rules ${name}; known: ${known === '' ? 'none' : known}`);
  });
}

/** Holds a picture against the rules of a profile, in the order of the documentation. */
export function judgeRules(profile: Profile, picture: RuledPicture): RuleResult[] {
  const { width, height, format, isAnimated } = picture;
  const aspect = roundAspect(width / height);
  const results: RuleResult[] = [];
  const hold = <Limit extends RuleResult['limit']>(
    rule: RuleName,
    limit: Limit | undefined,
    actual: RuleResult['actual'],
    isKept: (limit: Limit) => boolean,
  ): void => {
    if (limit !== undefined) results.push({ rule, limit, actual, verdict: isKept(limit) ? 'accept' : profile.verdict });
  };
  hold('minWidth', profile.minWidth, width, (least) => width >= least);
  hold('minHeight', profile.minHeight, height, (least) => height >= least);
  hold('maxWidth', profile.maxWidth, width, (most) => width <= most);
  hold('maxHeight', profile.maxHeight, height, (most) => height <= most);
  hold('minAspect', profile.minAspect, aspect, (least) => aspect >= roundAspect(least));
  hold('maxAspect', profile.maxAspect, aspect, (most) => aspect <= roundAspect(most));
  hold('formats', profile.formats, format, (formats) => formats.includes(format));
  hold('animated', profile.animated, isAnimated, (wanted) => isAnimated === wanted);
  return results;
}

/** 16 / 9 is written as 1.7778. */
function roundAspect(aspect: number): number {
  return Math.round(aspect * 10_000) / 10_000;
}
