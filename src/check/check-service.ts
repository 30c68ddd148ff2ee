import { setImmediate as nextTurn } from 'node:timers/promises';
import { ServiceError } from '../errors.ts';
import { isPlainJpeg } from '../image/header.ts';
import type { InferenceService } from '../inference/inference-service.ts';
import type { EngineName } from '../ipc/messages.ts';
import { toWorst } from '../model/policy.ts';
import type { Admission } from './admission.ts';
import { createLabelMapper } from './label-map.ts';
import { type OpenImage, openImage, type OpenOptions } from './open-image.ts';
import { judgeRules } from './picture-rules.ts';
import { type CheckPlan, type PlannedModel, type PlanOptions, toCheckPlan } from './plan.ts';
import { toDecodeSuspect, toImageHash, toRunSuspect } from './quarantine-client.ts';
import { judgeSize } from './smallest-picture.ts';
import type {
  CheckRequest,
  CheckService,
  ImageResult,
  ImageTimings,
  ModelResult,
  RuleResult,
  UploadedImage,
} from './types.ts';
import { toModelResult, toUnjudged } from './verdict.ts';

/** What the check service is constructed from. */
export interface CheckOptions extends OpenOptions, PlanOptions {
  readonly engine: EngineName;
  readonly inference: InferenceService;
  /** For requests with plain JPEGs only, which the decoder queues separately. */
  readonly admission: Admission;
  /** For all other requests: their latency must not refuse plain JPEGs. */
  readonly slowAdmission: Admission;
  /** Called for unexpected errors, before the client sees ERR_INTERNAL. */
  readonly onBug: (thrown: unknown) => void;
}

/** Creates the check service: images in, verdicts out. */
export function createCheckService(options: CheckOptions): CheckService {
  let checked = 0;
  return {
    checked: () => checked,
    assertRoom(deadlineAt, mayBeJpeg) {
      const admission = mayBeJpeg ? options.admission : options.slowAdmission;
      admission.assertRoom(1, deadlineAt);
    },
    async check(request) {
      const plan = toCheckPlan(options, request);
      const isPlain = request.images.every(({ bytes }) => isPlainJpeg(bytes));
      const admission = isPlain ? options.admission : options.slowAdmission;
      const { signal, release } = admission.admit(request.images.length, request);
      const admitted = { ...request, signal };
      const checking: Promise<ImageResult>[] = [];
      for (const image of request.images) {
        // Hashing a large upload and reading its header take tens of milliseconds: other requests get a turn in between.
        if (checking.length > 0) await nextTurn();
        checking.push(checkImage(options, image, plan, admitted).finally(release));
      }
      const images = await Promise.all(checking);
      if (signal.reason instanceof ServiceError) throw signal.reason;
      const [first] = images;
      if (first?.kind === 'failed' && images.every((image) => image.kind === 'failed')) throw first.error;
      for (const image of images) {
        if (image.kind === 'failed') options.metrics.errors.inc({ error: image.error.code });
        else checked += 1;
      }
      return { verdict: toWorst(images.map((image) => image.verdict)), images };
    },
  };
}

async function checkImage(
  options: CheckOptions,
  image: UploadedImage,
  { models, profiles }: CheckPlan,
  request: CheckRequest,
): Promise<ImageResult> {
  try {
    const imageHash = toImageHash(image.bytes);
    const suspects = [toDecodeSuspect(imageHash), ...models.map(({ model }) => toRunSuspect(imageHash, model))];
    options.quarantine.assertNotQuarantined(suspects);
    const open = await openImage(options, image.bytes, imageHash, request);
    // Models run on images that break rules, too: clients want all reasons at once.
    const outcomes = await Promise.all(models.map((model) => runModel(options, open, model, request)));
    open.release();
    const { facts, isAnimated } = open;
    const ruled = profiles.flatMap((profile) => judgeRules(profile, { ...facts, isAnimated }));
    const rules = [...ruled, ...outcomes.flatMap(({ tooSmall }) => tooSmall ?? [])];
    for (const { rule, verdict } of rules) options.metrics.rules.inc({ rule, verdict });
    const checks = outcomes.map((outcome) => outcome.result);
    const verdict = toWorst([...rules, ...checks].map((part) => part.verdict));
    return {
      kind: 'checked',
      name: image.name,
      verdict,
      image: facts,
      ...(rules.length > 0 && { rules }),
      checks,
      timingsMs: toTimings(outcomes),
    };
  } catch (thrown) {
    return { kind: 'failed', name: image.name, verdict: 'review', error: toServiceError(options, thrown) };
  }
}

interface Outcome {
  readonly result: ModelResult;
  readonly tooSmall?: RuleResult;
  readonly timingsMs: ImageTimings;
}

async function runModel(
  options: CheckOptions,
  open: OpenImage,
  planned: PlannedModel,
  request: CheckRequest,
): Promise<Outcome> {
  const tooSmall = judgeSize(planned.model, open.facts);
  const outcome = tooSmall
    ? { ...(await leaveUnjudged(options, open, planned)), tooSmall }
    : await judgeByModel(options, open, planned, request);
  const { model, verdict, labels } = outcome.result;
  options.metrics.checks.inc({ model, verdict });
  for (const { label, verdict } of labels) {
    if (verdict !== 'accept') options.metrics.labels.inc({ model, label });
  }
  return outcome;
}

/** Decodes an image that is too small for the model: a corrupt one is an error whatever its size. */
async function leaveUnjudged(options: CheckOptions, { decode }: OpenImage, planned: PlannedModel): Promise<Outcome> {
  const { decodeMs } = await decode(planned.model.manifest.input);
  return { result: toUnjudged(planned, options.engine), timingsMs: { decode: decodeMs, queue: 0, inference: 0 } };
}

async function judgeByModel(
  options: CheckOptions,
  { facts, subject, isPlain, decode }: OpenImage,
  planned: PlannedModel,
  request: CheckRequest,
): Promise<Outcome> {
  const { metrics, inference, quarantine } = options;
  const { model } = planned;
  const { manifest } = model;
  // The first image is decoded while its model loads; infer() reports a failed load.
  inference.load(model).catch(() => undefined);
  // The decoder of plain JPEGs comes with TensorFlow: with another one the first answer would differ from later ones.
  if (isPlain && options.engine === 'tensorflow') await inference.waitForStart(model, request);
  const { raster, decodeMs } = await decode(manifest.input);
  const { scores, map, queueMs, inferenceMs } = await inference.infer(model, raster, { ...request, subject });
  quarantine.recordSuccess(toRunSuspect(subject.imageHash, model));
  metrics.stepDuration.observe({ step: 'queue' }, queueMs / 1000);
  metrics.stepDuration.observe({ step: 'inference' }, inferenceMs / 1000);
  const result = toModelResult(planned, options.engine, scores, map && createLabelMapper(manifest, map, facts));
  return { result, timingsMs: { decode: decodeMs, queue: queueMs, inference: inferenceMs } };
}

/** Models run on one image concurrently, so the slowest of each step is what the client waited for. */
function toTimings(outcomes: readonly Outcome[]): ImageTimings {
  const slowest = (step: keyof ImageTimings): number =>
    Math.max(0, ...outcomes.map((outcome) => outcome.timingsMs[step]));
  return { decode: slowest('decode'), queue: slowest('queue'), inference: slowest('inference') };
}

function toServiceError(options: CheckOptions, thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError && thrown.code !== 'ERR_INTERNAL') return thrown;
  options.onBug(thrown);
  return new ServiceError('ERR_INTERNAL', 'internal error; the log has the cause', { cause: thrown });
}
