import type { Server } from 'node:http';
import { Registry } from 'prom-client';
import { createChecker } from '../check/checker.ts';
import { createAccessLog } from '../http/access-log.ts';
import { createByteBudget } from '../http/byte-budget.ts';
import { createHttpServer } from '../http/server.ts';
import type { InferenceService } from '../inference/inference-service.ts';
import type { OpsAnswer, OpsPath, ToWorker, WorkerSnapshot } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import { createWorkerMetrics } from '../metrics/catalogue.ts';
import { collectFamilies } from '../metrics/families.ts';
import { createProcessMetrics } from '../metrics/process-metrics.ts';
import { findVersion, type ModelStore } from '../model/model-store.ts';
import { measureMemory } from './memory.ts';
import { createModelBoard } from './model-board.ts';

type Start = Extract<ToWorker, { type: 'start' }>;
export type Draining = Extract<ToWorker, { type: 'drain' }>['because'];

/** All rooms of a worker, put together. */
export interface WorkerService {
  readonly server: Server;
  /** Loads what must be in memory before the worker listens. @throws ERR_MODEL_UNAVAILABLE */
  readonly warm: () => Promise<void>;
  readonly takeSnapshot: () => Promise<WorkerSnapshot>;
  /** Lets every answer from now on close its connection. */
  readonly drain: (because: Draining) => void;
  /** Resolves when every line of the access log is written. */
  readonly flush: () => Promise<void>;
}

/**
 * Builds the rooms from what the primary said at the start.
 * @throws ExitError 78 where the models folder or `check.models` doesn't fit.
 */
export function createWorkerService(
  { slot, engine, config, warm }: Start,
  askPrimary: (path: OpsPath) => Promise<OpsAnswer>,
  log: Logger,
): WorkerService {
  const product = new Registry();
  const metrics = createWorkerMetrics(product);
  const processMetrics = createProcessMetrics(String(slot));
  const { store, inference, checkService } = createChecker(config, engine, metrics, log);
  const board = createModelBoard(store, config.check.models, engine, inference);
  const identity = { slot, pid: process.pid };
  const accessLog = createAccessLog(config.log, identity, log);
  let draining: Draining | undefined;

  const server = createHttpServer({
    config,
    checkService,
    byteBudget: createByteBudget(config.upload.maxBufferedBytes),
    askPrimary,
    metrics,
    log,
    accessLog,
    identity,
    draining: () => draining,
  });
  const toWarm = [...warm, ...(config.model.load === 'eager' ? config.check.models : [])];
  const inFlight = async (): Promise<number> => (await metrics.inFlight.get()).values[0]?.value ?? 0;

  return {
    server,
    warm: () => warmModels(store, inference, toWarm),
    takeSnapshot: async () => {
      metrics.queueDepth.set(inference.queueDepth());
      return {
        serving: config.model.load === 'eager' ? board.isReady() : board.canServe(),
        ready: board.isReady(),
        models: board.toSnapshots(),
        inFlight: await inFlight(),
        queueDepth: inference.queueDepth(),
        checked: checkService.checked(),
        memory: await measureMemory(),
        metrics: await collectFamilies(product, processMetrics),
      };
    },
    drain: (because) => {
      draining = because;
    },
    flush: () => accessLog.flush(),
  };
}

async function warmModels(
  store: ModelStore,
  inference: InferenceService,
  references: readonly string[],
): Promise<void> {
  const found = [...new Set(references)].map((reference) => findVersion(store, reference));
  const usable = found.flatMap((stored) => (stored.kind === 'usable' ? [stored.model] : []));
  await Promise.all(usable.map((model) => inference.load(model)));
}
