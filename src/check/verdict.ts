import type { Manifest } from '../model/manifest.ts';
import type { ModelVersion } from '../model/model-version.ts';
import type { LabelMapper } from './label-map.ts';
import { type LabelResult, type ModelResult, type Verdict, verdicts } from './types.ts';
import type { EngineName } from '../ipc/messages.ts';

/** The worst of several verdicts; accept where there is none. */
export function toWorst(all: readonly Verdict[]): Verdict {
  return all.reduce<Verdict>(
    (worst, next) => (verdicts.indexOf(next) > verdicts.indexOf(worst) ? next : worst),
    'accept',
  );
}

/**
 * Holds a model's scores against its policy.
 * @throws Error where a score is not a number, which no threshold would flag
 * @param scores float32 `[labels]`, 0…1
 * @param toMap where flagged labels show, if anybody asked
 */
export function toModelResult(
  model: ModelVersion,
  engine: EngineName,
  scores: Float32Array,
  toMap?: LabelMapper,
): ModelResult {
  if (!scores.every(Number.isFinite)) throw new Error(`model ${model.name} gave a score that is not a number`);
  const labels = model.manifest.output.labels.map((label, index) => {
    const result = toLabelResult(label, scores[index] ?? Number.NaN, model.manifest.policy[label]);
    return toMap && result.verdict !== 'accept' ? { ...result, map: toMap(index) } : result;
  });
  const verdict = toWorst(labels.map((label) => label.verdict));
  return { model: model.name, version: model.version, engine, verdict, labels };
}

function toLabelResult(label: string, score: number, thresholds: Manifest['policy'][string] | undefined): LabelResult {
  const { review, reject } = thresholds ?? {};
  const reaches = (threshold: number | undefined): boolean => threshold !== undefined && score >= threshold;
  const verdict = reaches(reject) ? 'reject' : reaches(review) ? 'review' : 'accept';
  if (!thresholds) return { label, score, verdict };
  const known = { ...(review !== undefined && { review }), ...(reject !== undefined && { reject }) };
  return { label, score, thresholds: known, verdict };
}
