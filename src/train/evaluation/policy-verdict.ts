import type { Manifest } from '../../model/manifest.ts';
import { judgeScore, toWorst, type Verdict } from '../../model/policy.ts';

/** Computes the verdict that the service gives for a model's scores. */
export function toVerdict(scores: readonly number[], { output, policy }: Manifest): Verdict {
  return toWorst(output.labels.map((label, column) => judgeScore(scores[column] ?? 0, policy[label])));
}

/** Returns whether a picture is flagged with a label. */
export function isFlaggedAs(label: string, scores: readonly number[], { output, policy }: Manifest): boolean {
  return judgeScore(scores[output.labels.indexOf(label)] ?? 0, policy[label]) !== 'accept';
}
