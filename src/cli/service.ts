import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import { planWorkers } from '../config/worker-plan.ts';
import { createLogger, type Logger } from '../log.ts';
import { openLogStream } from '../log-stream.ts';
import { assertDefaults, loadModelStore } from '../model/model-store.ts';
import { type ModelsLook, readModelsLook, startModelWatch } from '../model/model-watch.ts';
import { type Primary, startPrimary } from '../primary/primary.ts';
import type { EarlyWorker } from '../primary/supervise/early-worker.ts';
import { chooseEngine } from '../setup/engine-choice.ts';
import type { ConfigFlags } from './config-flags.ts';
import { assertPoliciesFit, loadFlaggedConfig } from './flagged-config.ts';
import { loadVersion } from './project.ts';

/** Flags of `serve`. */
export interface ServeFlags extends ConfigFlags {
  readonly pidFile?: string;
}

const stderr = 2;
const maxFlushMs = 1000;

/**
 * Serves until the service is stopped, then ends the process.
 * @throws ExitError where it can't start
 */
export async function runService(flags: ServeFlags, workerExec: string, earlyWorker: EarlyWorker): Promise<void> {
  const { config } = loadFlaggedConfig(flags);
  assertDefaults(loadModelStore(config.models.dir), config.check.models);
  assertPoliciesFit(config);
  const events = openLogStream(stderr);
  const log = createLogger(config.log, { worker: 'primary', pid: process.pid }, events);
  const progress = process.stderr.isTTY ? 'bar' : 'lines';
  const choice = await chooseEngine({ wanted: config.model.engine, progress, environment: process.env });
  if (choice.engine === 'wasm') log.warn({ engine: 'wasm' }, `serving on the wasm engine: ${choice.why}`);
  const plan = planWorkers(config);
  log.info({ workers: plan.count, modelThreads: config.worker.modelThreads }, `workers planned: ${plan.reason}`);
  const known = await readModelsLook(config.models.dir);
  const primary = await startPrimary({
    config,
    reloadConfig: () => reloadConfig(flags),
    engine: choice.engine,
    version: loadVersion(),
    workerCount: plan.count,
    workerExec,
    earlyWorker,
    log,
    events,
    ...(flags.pidFile !== undefined && { pidFile: flags.pidFile }),
  });
  const stopWatch = watchModels(primary, known, log);
  void primary.stopping.then(stopWatch);
  const exitCode = await primary.ended;
  // A stalled reader of stderr must not block the exit.
  await Promise.race([events.flush(), delay(maxFlushMs)]);
  process.exit(exitCode);
}

/** @throws ExitError 78 */
function reloadConfig(flags: ConfigFlags): Config {
  const { config } = loadFlaggedConfig(flags);
  assertPoliciesFit(config);
  return config;
}

/** Applies changes of the models folder to the workers while `models.watch` is on. */
function watchModels(primary: Primary, known: ModelsLook | undefined, log: Logger): () => void {
  return startModelWatch({
    dir: () => (primary.config.models.watch ? primary.config.models.dir : undefined),
    known,
    onVersions: () => {
      log.info('models have changed on disk');
      primary.reloadModels();
    },
    onPolicies: () => {
      log.info('thresholds have changed on disk');
      primary.reloadPolicies();
    },
  });
}
