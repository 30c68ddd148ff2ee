import type { Manifest } from '../../model/manifest.ts';

/** Cost of a missed fault relative to a false alarm, as a multiple of what the thresholds of `policy` imply. */
const missCosts = { strict: 3, lenient: 1 / 3 } as const;

/**
 * Derives `strict` and `lenient` from the chosen thresholds. Scores are probabilities, so a threshold of p is optimal where
 * a miss costs (1 - p) / p times a false alarm; another cost divides the odds of the threshold by its factor.
 */
export function toNamedPolicies(policy: Manifest['policy']): Readonly<Record<string, Manifest['policy']>> {
  return Object.fromEntries(
    Object.entries(missCosts).map(([name, cost]) => {
      const shifted = Object.entries(policy).map(([label, { review, reject }]) => [
        label,
        {
          ...(review !== undefined && { review: shift(review, cost) }),
          ...(reject !== undefined && { reject: shift(reject, cost) }),
        },
      ]);
      return [name, Object.fromEntries(shifted) as Manifest['policy']];
    }),
  );
}

function shift(threshold: number, missCost: number): number {
  return Number((threshold / (threshold + (1 - threshold) * missCost)).toFixed(2));
}
