import type {
  CheckResult,
  ImageResult,
  ImageTimings,
  LabelMap,
  LabelResult,
  ModelResult,
  RuleResult,
  Verdict,
} from '../check/types.ts';
import { verdicts } from '../check/types.ts';
import { toProblem } from '../problem.ts';
import type { Answer } from './answer.ts';
import type { ImageBody, VerdictBody } from './verdict-body.ts';

/** Who gives a verdict on what. */
export interface VerdictContext {
  readonly requestId: string;
  readonly worker: { readonly slot: number; readonly pid: number };
  readonly uploadMs: number;
}

/** The answer with a verdict. */
export function toVerdictAnswer(result: CheckResult, { requestId, worker, uploadMs }: VerdictContext): Answer {
  const images = result.images.map((image) => toImageBody(image, requestId));
  const body: VerdictBody = {
    requestId,
    verdict: result.verdict,
    images,
    worker: { slot: worker.slot, pid: worker.pid },
  };
  return {
    status: 200,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify(body),
    headers: { 'Server-Timing': toServerTiming(uploadMs, toLongestTimings(result)) },
  };
}

/** The maximum per step over all images, which are processed concurrently. */
export function toLongestTimings({ images }: CheckResult): ImageTimings {
  const timings = images.flatMap((image) => (image.kind === 'checked' ? [image.timingsMs] : []));
  return {
    decode: Math.max(0, ...timings.map(({ decode }) => decode)),
    queue: Math.max(0, ...timings.map(({ queue }) => queue)),
    inference: Math.max(0, ...timings.map(({ inference }) => inference)),
  };
}

/** Access log variables of a verdict, with the worst label. */
export function toVerdictVariables(result: CheckResult, uploadMs: number): [string, string | number][] {
  const timings = toLongestTimings(result);
  const worst = findWorstLabel(result);
  return [
    ['verdict', result.verdict],
    ['images', result.images.length],
    ['upload_ms', roundTenth(uploadMs)],
    ['decode_ms', roundTenth(timings.decode)],
    ['queue_ms', roundTenth(timings.queue)],
    ['infer_ms', roundTenth(timings.inference)],
    ...(worst === undefined ? [] : toLabelVariables(worst)),
    ...toRuleVariables(result),
  ];
}

/** The worst rule that was broken. */
function toRuleVariables({ images }: CheckResult): [string, string][] {
  const rules = images.flatMap((image) => (image.kind === 'checked' ? (image.rules ?? []) : []));
  const broken = (['reject', 'review'] as const).flatMap((verdict) => rules.filter((rule) => rule.verdict === verdict));
  return broken.slice(0, 1).map(({ rule }) => ['rule', rule]);
}

function toLabelVariables({ check, label }: WorstLabel): [string, string | number][] {
  return [
    ['model', check.model],
    ['version', check.version],
    ['engine', check.engine],
    ['label', label.label],
    ['score', roundScore(label.score)],
  ];
}

interface WorstLabel {
  readonly check: ModelResult;
  readonly label: LabelResult;
}

function findWorstLabel({ images }: CheckResult): WorstLabel | undefined {
  const checks = images.flatMap((image) => (image.kind === 'checked' ? image.checks : []));
  const labels = checks.flatMap((check) => check.labels.map((label) => ({ check, label })));
  return labels.toSorted((one, other) => toWeight(other.label) - toWeight(one.label))[0];
}

/** A worse verdict outweighs any score, which is 1 at most. */
function toWeight({ verdict, score }: { verdict: Verdict; score: number }): number {
  return 2 * verdicts.indexOf(verdict) + score;
}

function toServerTiming(uploadMs: number, { decode, queue, inference }: ImageTimings): string {
  return Object.entries({ upload: uploadMs, decode, queue, inference })
    .map(([step, durationMs]) => `${step};dur=${String(roundTenth(durationMs))}`)
    .join(', ');
}

function toImageBody(image: ImageResult, requestId: string): ImageBody {
  const { name } = image;
  if (image.kind === 'failed') return { name, verdict: image.verdict, error: toProblem(image.error, requestId) };
  const { format, width, height, bytes } = image.image;
  const { decode, queue, inference } = image.timingsMs;
  return {
    name,
    verdict: image.verdict,
    image: { format, width, height, bytes },
    ...(image.rules && { rules: image.rules.map(toRuleBody) }),
    checks: image.checks.map(toCheckBody),
    timingsMs: { decode: roundTenth(decode), queue: roundTenth(queue), inference: roundTenth(inference) },
  };
}

function toRuleBody({ rule, limit, actual, verdict, model }: RuleResult): RuleResult {
  return { rule, limit, actual, verdict, ...(model !== undefined && { model }) };
}

function toCheckBody({ model, version, engine, policy, verdict, labels }: ModelResult): ModelResult {
  const head = { model, version, engine, ...(policy !== undefined && { policy }) };
  return { ...head, verdict, labels: labels.map(toLabelBody) };
}

function toLabelBody({ label, score, thresholds, verdict, map }: LabelResult): LabelResult {
  return {
    label,
    score: roundScore(score),
    ...(thresholds && { thresholds }),
    verdict,
    ...(map && { map: toMapBody(map) }),
  };
}

function toMapBody({ columns, rows, area, scores }: LabelMap): LabelMap {
  return {
    columns,
    rows,
    ...(area && { area: toAreaBody(area) }),
    scores: scores.map((row) => row.map(roundScore)),
  };
}

function toAreaBody({ left, top, width, height }: NonNullable<LabelMap['area']>): NonNullable<LabelMap['area']> {
  return { left: roundScore(left), top: roundScore(top), width: roundScore(width), height: roundScore(height) };
}

function roundTenth(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

function roundScore(score: number): number {
  return Math.round(score * 10_000) / 10_000;
}
