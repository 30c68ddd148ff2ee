// The composition root of every process that checks images: a worker, and the command line's in-process check.
import { Admission } from '../check/admission.ts';
import { createCheckService } from '../check/check-service.ts';
import { QuarantineClient, type QuarantineLink, toDecodeSuspect } from '../check/quarantine-client.ts';
import type { CheckService } from '../check/types.ts';
import type { Config } from '../config/schema.ts';
import { InferenceService } from '../inference/inference-service.ts';
import type { EngineName } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import type { WorkerMetrics } from '../metrics/catalogue.ts';
import type { LiveStore } from '../model/live-store.ts';
import type { PreferredVersions } from '../model/model-store.ts';
import { type HangListener, toInferenceOptions } from './inference-wiring.ts';
import { openModels } from './models.ts';

/** The services of a process that checks images. */
export interface Services extends LiveStore {
  readonly inference: InferenceService;
  readonly quarantine: QuarantineClient;
  readonly checkService: CheckService;
}

/** What the services of a process are constructed from. */
export interface ServiceOptions {
  readonly config: Config;
  readonly engine: EngineName;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
  readonly versions?: PreferredVersions;
  /** Absent where there is no primary to share a quarantine with. */
  readonly quarantine?: QuarantineLink;
  /** Native code hangs on these suspects: only a new process helps. */
  readonly onHang?: (reason: string, suspects: readonly string[]) => void;
}

/** Decodes that run beside a batch. */
const concurrentDecodes = 2;

/**
 * Constructs the services of any process that checks images.
 * @throws ExitError 78 where the models folder or `check.models` is invalid
 */
export function createServices(options: ServiceOptions): Services {
  const { config, engine, metrics, log, onHang } = options;
  const models = openModels(config, log, options.versions);
  const concurrency = config.worker.modelThreads * config.inference.maxBatch + concurrentDecodes;
  const { queueSize, deadlineMs } = config.check;
  const admission = new Admission(queueSize, concurrency, deadlineMs);
  const slowAdmission = new Admission(queueSize, concurrency, deadlineMs);
  const resetEstimate = (): void => {
    admission.resetEstimate();
    slowAdmission.resetEstimate();
  };
  const quarantine = new QuarantineClient(options.quarantine);
  const handleHang: HangListener = (reason, images, suspects) => {
    resetEstimate();
    log.error({ reason, images }, 'native code hangs; another worker has to take over');
    onHang?.(reason, quarantine.excludeProven(suspects));
  };
  const inference = new InferenceService(
    toInferenceOptions(options, { store: models.store, quarantine, resetEstimate, onHang: handleHang }),
  );
  const checkService = createCheckService({
    engine,
    limits: config.image,
    config,
    store: models.store,
    inference,
    admission,
    slowAdmission,
    quarantine,
    metrics,
    onDecodeTimeout: (subject) => {
      log.warn({ image: subject }, 'decoding an image timed out on an otherwise idle worker');
      quarantine.recordStrike(toDecodeSuspect(subject.imageHash));
    },
    onDecodeHang: (subject, isCounted) => {
      const suspects = isCounted ? [] : [toDecodeSuspect(subject.imageHash)];
      handleHang('decoding an image hangs', [subject], suspects);
    },
    onBug: (thrown) => {
      log.error({ err: thrown }, 'an image failed unexpectedly');
    },
  });
  return { ...models, inference, quarantine, checkService };
}
