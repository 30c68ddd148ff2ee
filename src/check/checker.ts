import type { Config } from '../config/schema.ts';
import { noDeadline } from '../deadline.ts';
import { toMessage } from '../errors.ts';
import { loadNativeJpeg } from '../image/native-jpeg.ts';
import { compileInChild } from '../inference/compile-child.ts';
import type { Subject } from '../inference/image-queue.ts';
import { InferenceService } from '../inference/inference-service.ts';
import type { EngineName } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import type { WorkerMetrics } from '../metrics/catalogue.ts';
import { assertPolicies } from '../model/configured-policies.ts';
import { createLiveStore, type LiveStore } from '../model/live-store.ts';
import {
  assertDefaults,
  loadModelStore,
  lookUpVersion,
  type ModelStore,
  type PreferredVersions,
} from '../model/model-store.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';
import { Admission } from './admission.ts';
import { createCheckService } from './check-service.ts';
import { loadGoldenRasters } from './golden-rasters.ts';
import { QuarantineClient, type QuarantineLink, toDecodeSuspect, toRunSuspect } from './quarantine-client.ts';
import type { CheckService } from './types.ts';

/** The product with all that it stands on, in one process. */
export interface Checker extends LiveStore {
  readonly inference: InferenceService;
  readonly quarantine: QuarantineClient;
  readonly checkService: CheckService;
}

/** What the product is built from. */
export interface CheckerOptions {
  readonly config: Config;
  readonly engine: EngineName;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
  readonly versions?: PreferredVersions;
  /** A worker's part in the quarantine; absent where there is no primary. */
  readonly quarantine?: QuarantineLink;
  /** Native code hangs on these: this process can't be mended, only replaced. */
  readonly onStuck?: (reason: string, suspects: readonly string[]) => void;
}

/** Decodes that run beside a batch. */
const concurrentDecodes = 2;

/**
 * Puts models, inference and checks together.
 * @throws ExitError 78 where the models folder or `check.models` doesn't fit.
 */
export function createChecker(options: CheckerOptions): Checker {
  const { config, engine, metrics, log } = options;
  const found = loadModelStore(config.models.dir, options.versions);
  assertDefaults(found, config.check.models);
  logBroken(found, log);
  const liveStore = createLiveStore(found, (fault) => {
    log.error(fault);
  });
  const { modelThreads } = config.worker;
  const concurrency = modelThreads * config.inference.maxBatch + concurrentDecodes;
  const { queueSize, deadlineMs } = config.check;
  const admission = new Admission(queueSize, concurrency, deadlineMs);
  const slowAdmission = new Admission(queueSize, concurrency, deadlineMs);
  const resetEstimate = (): void => {
    admission.resetEstimate();
    slowAdmission.resetEstimate();
  };
  const quarantine = new QuarantineClient(options.quarantine);
  const hear = createHangListener(options, resetEstimate, quarantine);
  const inference = createInference(options, {
    resetEstimate,
    quarantine,
    onHang: hear,
    isDefault: (model) => config.check.models.some((reference) => isMeant(liveStore.store(), reference, model)),
  });
  const checkService = createCheckService({
    engine,
    limits: config.image,
    config,
    store: liveStore.store,
    inference,
    admission,
    slowAdmission,
    quarantine,
    metrics,
    onDecodeTimeout: (subject) => {
      log.warn({ image: subject }, 'an image was not decoded in its time on an otherwise idle worker');
      quarantine.recordStrike(toDecodeSuspect(subject.imageHash));
    },
    onDecodeHang: (subject, isCounted) => {
      const suspects = isCounted ? [] : [toDecodeSuspect(subject.imageHash)];
      hear('the decoding of an image does not come back', [subject], suspects);
    },
    onBug: (thrown) => {
      log.error({ err: thrown }, 'an image failed unexpectedly');
    },
  });
  return { ...withPolicyLog(liveStore, config, log), inference, quarantine, checkService };
}

function logBroken(store: ModelStore, log: Logger): void {
  for (const stored of [...store.values()].flat()) {
    if (stored.kind === 'broken') {
      log.error({ model: stored.name, version: stored.version, reason: stored.reason }, 'a model failed to load');
    }
  }
}

/** The start is refused where the configuration's policies don't fit the models; later they go on, with a line in the log. */
function withPolicyLog(
  { store, refreshPolicies }: LiveStore,
  { policies, check }: Pick<Config, 'policies' | 'check'>,
  log: Logger,
): LiveStore {
  const logUnfit = (): void => {
    try {
      assertPolicies(store(), policies, check.policy);
    } catch (thrown) {
      log.error(`default thresholds hold instead: ${toMessage(thrown)}`);
    }
  };
  logUnfit();
  return { store, refreshPolicies: () => refreshPolicies().then(logUnfit) };
}

function isMeant(store: ModelStore, reference: string, model: ModelVersion): boolean {
  const stored = lookUpVersion(store, reference);
  return stored?.kind === 'usable' && toModelKey(stored.model) === toModelKey(model);
}

type HangListener = (reason: string, images: readonly Subject[], suspects: readonly string[]) => void;

/** Tells the operator which images it was, and the process around that it has to be replaced. */
function createHangListener(
  { log, onStuck }: CheckerOptions,
  resetEstimate: () => void,
  quarantine: QuarantineClient,
): HangListener {
  return (reason, images, suspects) => {
    resetEstimate();
    log.error({ reason, images }, 'native code is stuck; another worker has to take over');
    onStuck?.(reason, quarantine.excludeProven(suspects));
  };
}

function useNativeJpeg(log: Logger): void {
  try {
    loadNativeJpeg();
  } catch (thrown) {
    log.warn({ err: thrown }, "TensorFlow's JPEG decoder is not there; sharp decodes all pictures, which takes longer");
  }
}

interface InferenceSurroundings {
  readonly resetEstimate: () => void;
  readonly quarantine: QuarantineClient;
  readonly isDefault: (model: ModelVersion) => boolean;
  readonly onHang: HangListener;
}

function createInference(
  { config, engine, metrics, log }: CheckerOptions,
  { resetEstimate, quarantine, isDefault, onHang }: InferenceSurroundings,
): InferenceService {
  const toSuspects = (model: ModelVersion, images: readonly Subject[]): string[] =>
    images.map(({ imageHash }) => toRunSuspect(imageHash, model));
  return new InferenceService({
    engine,
    modelThreads: config.worker.modelThreads,
    maxBatch: config.inference.maxBatch,
    loadTimeoutMs: config.supervisor.loadTimeoutMs,
    stuckMs: config.supervisor.stuckMs,
    isDefault,
    onHang: ({ reason, model, images }) => {
      const subjects = images.map(({ subject }) => subject);
      onHang(reason, subjects, toSuspects(model, subjects));
    },
    loadGolden: (model) => {
      const deadlineAt = performance.now() + config.supervisor.loadTimeoutMs;
      return loadGoldenRasters(model, config.image, { ...noDeadline, deadlineAt });
    },
    artefacts: {
      cacheDir: config.model.artefactDir,
      ...(config.model.compile && { compile: compileInChild }),
    },
    onLoadFailed: ({ name, version }, reason) => {
      log.error({ model: name, version, reason }, 'a model failed to load');
    },
    onStarted: () => {
      // Only now is TensorFlow's library in the process: loading it here before would hold up the HTTP thread.
      if (engine === 'tensorflow') useNativeJpeg(log);
    },
    onLoaded: ({ name, version }, { loadMs, form, remarks }) => {
      resetEstimate();
      metrics.modelLoad.observe({ model: name }, loadMs / 1000);
      log.info({ model: name, version, loadMs: Math.round(loadMs), form, remarks }, 'model loaded');
    },
    onRun: (model, images) => quarantine.noteInFlight(toSuspects(model, images)),
    onBatch: ({ name, version }, count, runMs) => {
      metrics.inferenceDuration.observe({ model: name, version, engine }, runMs / 1000);
      metrics.batchSize.observe({ model: name }, count);
    },
  });
}
