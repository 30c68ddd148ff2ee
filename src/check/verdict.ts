import type { EngineName } from '../ipc/messages.ts';
import { judgeScore, type Thresholds, toWorst } from '../model/policy.ts';
import type { LabelMapper } from './label-map.ts';
import type { PlannedModel } from './plan.ts';
import type { LabelResult, ModelResult } from './types.ts';

/**
 * Compares a model's scores with the thresholds of its policy.
 * @throws Error for a score that is not a number: no threshold would flag it
 * @param scores float32 `[labels]`, 0…1
 * @param toMap maps of flagged labels, if requested
 */
export function toModelResult(
  planned: PlannedModel,
  engine: EngineName,
  scores: Float32Array,
  toMap?: LabelMapper,
): ModelResult {
  const { model, policy } = planned;
  if (!scores.every(Number.isFinite)) throw new Error(`model ${model.name} gave a score that is not a number`);
  const labels = model.manifest.output.labels.map((label, index) => {
    const result = toLabelResult(label, scores[index] ?? Number.NaN, policy.thresholds[label]);
    return toMap && result.verdict !== 'accept' ? { ...result, map: toMap(index) } : result;
  });
  return { ...toHead(planned, engine), verdict: toWorst(labels.map((label) => label.verdict)), labels };
}

/** The result for an image that is too small for a model: no labels, verdict review. */
export function toUnjudged(planned: PlannedModel, engine: EngineName): ModelResult {
  return { ...toHead(planned, engine), verdict: 'review', labels: [] };
}

function toHead(
  { model, policy, isPolicyTold }: PlannedModel,
  engine: EngineName,
): Omit<ModelResult, 'verdict' | 'labels'> {
  return { model: model.name, version: model.version, engine, ...(isPolicyTold && { policy: policy.name }) };
}

function toLabelResult(label: string, score: number, thresholds: Thresholds): LabelResult {
  const verdict = judgeScore(score, thresholds);
  if (!thresholds) return { label, score, verdict };
  const { review, reject } = thresholds;
  const known = { ...(review !== undefined && { review }), ...(reject !== undefined && { reject }) };
  return { label, score, thresholds: known, verdict };
}
