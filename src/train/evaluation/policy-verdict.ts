import type { Manifest } from '../../model/manifest.ts';
import { judgeScore, toWorst, type Verdict } from '../../model/policy.ts';

/** What the service would answer to all of a model's scores. */
export function toVerdict(scores: readonly number[], { output, policy }: Manifest): Verdict {
  return toWorst(output.labels.map((label, column) => judgeScore(scores[column] ?? 0, policy[label])));
}

/** Whether a picture is flagged with this very label. */
export function isFlaggedAs(label: string, scores: readonly number[], { output, policy }: Manifest): boolean {
  return judgeScore(scores[output.labels.indexOf(label)] ?? 0, policy[label]) !== 'accept';
}
