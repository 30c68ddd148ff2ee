import type { Config } from '../config/schema.ts';
import { compileInChild } from '../inference/compile-child.ts';
import { InferenceService } from '../inference/inference-service.ts';
import type { EngineName } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import type { WorkerMetrics } from '../metrics/catalogue.ts';
import { assertDefaults, loadModelStore, type ModelStore } from '../model/model-store.ts';
import { createCheckService } from './check-service.ts';
import { loadGoldenRasters } from './golden-rasters.ts';
import type { CheckService } from './types.ts';

/** The product with all that it stands on, in one process. */
export interface Checker {
  readonly store: ModelStore;
  readonly inference: InferenceService;
  readonly checkService: CheckService;
}

/**
 * Puts models, inference and checks together.
 * @throws ExitError 78 where the models folder or `check.models` doesn't fit.
 */
export function createChecker(
  config: Config,
  engine: EngineName,
  metrics: WorkerMetrics,
  log: Logger,
  onStuck: (reason: string) => void = () => undefined,
): Checker {
  const store = loadModelStore(config.models.dir);
  assertDefaults(store, config.check.models);
  const inference = new InferenceService({
    engine,
    queueSize: config.check.queueSize,
    maxBatch: config.inference.maxBatch,
    loadTimeoutMs: config.supervisor.loadTimeoutMs,
    stuckMs: config.supervisor.stuckMs,
    onStuck,
    loadGolden: (model) => loadGoldenRasters(model, config.image),
    artefacts: {
      cacheDir: config.model.artefactDir,
      ...(config.model.compile && { compile: compileInChild }),
    },
    onLoaded: ({ name, version }, { loadMs, form, remarks }) => {
      metrics.modelLoad.observe({ model: name }, loadMs / 1000);
      log.info({ model: name, version, loadMs: Math.round(loadMs), form, remarks }, 'model loaded');
    },
    onBatch: ({ name, version }, count, runMs) => {
      metrics.inferenceDuration.observe({ model: name, version, engine }, runMs / 1000);
      metrics.batchSize.observe({ model: name }, count);
    },
  });
  const checkService = createCheckService({
    engine,
    limits: config.image,
    defaultModels: config.check.models,
    store,
    inference,
    metrics,
    onBug: (thrown) => {
      log.error({ err: thrown }, 'an image failed unexpectedly');
    },
  });
  return { store, inference, checkService };
}
