import { loadGoldenRasters } from '../check/golden-rasters.ts';
import { type QuarantineClient, toRunSuspect } from '../check/quarantine-client.ts';
import type { Config } from '../config/schema.ts';
import { noDeadline } from '../deadline.ts';
import { loadNativeJpeg } from '../image/native-jpeg.ts';
import { compileInChild } from '../inference/compile-child.ts';
import type { Subject } from '../inference/image-queue.ts';
import type { InferenceOptions } from '../inference/inference-options.ts';
import type { EngineName } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import type { WorkerMetrics } from '../metrics/catalogue.ts';
import type { LiveStore } from '../model/live-store.ts';
import { lookUpVersion, type ModelStore } from '../model/model-store.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';

/** Called when native code hangs. */
export type HangListener = (reason: string, images: readonly Subject[], suspects: readonly string[]) => void;

interface InferenceContext {
  readonly config: Config;
  readonly engine: EngineName;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
}

interface InferencePeers {
  readonly store: LiveStore['store'];
  readonly quarantine: QuarantineClient;
  readonly resetEstimate: () => void;
  readonly onHang: HangListener;
}

/** Connects inference to configuration, metrics, log and quarantine. */
export function toInferenceOptions(
  { config, engine, metrics, log }: InferenceContext,
  { store, quarantine, resetEstimate, onHang }: InferencePeers,
): InferenceOptions {
  const toSuspects = (model: ModelVersion, images: readonly Subject[]): string[] =>
    images.map(({ imageHash }) => toRunSuspect(imageHash, model));
  return {
    engine,
    modelThreads: config.worker.modelThreads,
    maxBatch: config.inference.maxBatch,
    loadTimeoutMs: config.supervisor.loadTimeoutMs,
    stuckMs: config.supervisor.stuckMs,
    isDefault: (model) => config.check.models.some((reference) => isVersionOf(store(), reference, model)),
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
      // Not earlier: TensorFlow's library is in the process now, and loading it here would block the HTTP thread.
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
  };
}

function isVersionOf(store: ModelStore, reference: string, model: ModelVersion): boolean {
  const stored = lookUpVersion(store, reference);
  return stored?.kind === 'usable' && toModelKey(stored.model) === toModelKey(model);
}

function useNativeJpeg(log: Logger): void {
  try {
    loadNativeJpeg();
  } catch (thrown) {
    log.warn({ err: thrown }, "TensorFlow's JPEG decoder is not available; sharp decodes all images, which is slower");
  }
}
