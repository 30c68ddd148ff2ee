import type { Manifest } from '../model/manifest.ts';

/** What the service would answer. */
export type Verdict = 'accept' | 'review' | 'reject';

/** Holds scores against the thresholds of a model's policy, as the service does. */
export function toVerdict(scores: readonly number[], { output, policy }: Manifest): Verdict {
  const reaches = (level: 'review' | 'reject'): boolean =>
    output.labels.some((label, column) => (scores[column] ?? 0) >= (policy[label]?.[level] ?? Infinity));
  return reaches('reject') ? 'reject' : reaches('review') ? 'review' : 'accept';
}

/** Whether a picture is flagged with this very label. */
export function isFlaggedAs(label: string, scores: readonly number[], { output, policy }: Manifest): boolean {
  const { review = Infinity, reject = Infinity } = policy[label] ?? {};
  return (scores[output.labels.indexOf(label)] ?? 0) >= Math.min(review, reject);
}
