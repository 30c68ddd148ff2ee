import type { Server } from 'node:http';
import { Registry } from 'prom-client';
import type { HttpDependencies } from '../http/dependencies.ts';
import { createHttpServer } from '../http/server.ts';
import { createByteBudget } from '../http/upload/byte-budget.ts';
import type { QuarantineState, ToWorker, WorkerSnapshot } from '../ipc/messages.ts';
import { createWorkerMetrics } from '../metrics/catalogue.ts';
import { createProcessMetrics } from '../metrics/process-metrics.ts';
import { createModelBoard } from './model-board.ts';
import type { PrimaryLink } from './primary-link.ts';
import { createProduct, warmModels } from './product.ts';
import { createSnapshotTaker } from './snapshot.ts';
import type { WorkerLogs } from './worker-logs.ts';

type Start = Extract<ToWorker, { type: 'start' }>;
export type Draining = Extract<ToWorker, { type: 'drain' }>['because'];

/** All rooms of a worker, put together. */
export interface WorkerService {
  readonly server: Server;
  /** Replaces what this worker knows of quarantined images. */
  readonly updateQuarantine: (state: QuarantineState) => void;
  /** Loads what must be in memory before the worker listens. @throws ERR_MODEL_UNAVAILABLE */
  readonly warm: () => Promise<void>;
  readonly takeSnapshot: () => Promise<WorkerSnapshot>;
  /** Takes over thresholds that have changed on disk. */
  readonly refreshPolicies: () => Promise<void>;
  /** Lets every answer from now on close its connection. */
  readonly drain: (because: Draining) => void;
  /** Lets the next so many answers on kept connections close them. */
  readonly shed: (connections: number) => void;
  /** Resolves when every line of both logs is written. */
  readonly flush: () => Promise<void>;
}

/**
 * Builds the rooms from what the primary said at the start.
 * @throws ExitError 78 where the models folder or `check.models` doesn't fit.
 */
export function createWorkerService(start: Start, primary: PrimaryLink, logs: WorkerLogs): WorkerService {
  const { log, accessLog } = logs;
  const { slot, engine, config, warm } = start;
  const registry = new Registry();
  const metrics = createWorkerMetrics(registry, logs.droppedLines);
  const processMetrics = createProcessMetrics(String(slot));
  const product = createProduct(start, primary, metrics, log);
  const { store, inference, checkService } = product;
  const board = createModelBoard(store, config, engine, inference);
  const closing = createClosing();
  const isEager = config.model.load === 'eager';
  const isServing = (): boolean => !product.isStuck() && (isEager ? board.isReady() : board.canServe());
  const server = createHttpServer({
    config,
    checkService,
    byteBudget: createByteBudget(config.upload.maxBufferedBytes),
    askPrimary: primary.ask,
    metrics,
    log,
    accessLog,
    identity: { slot, pid: process.pid },
    draining: closing.draining,
    // A kept connection would bring its client error after error while another worker may serve.
    shedConnection: () => !isServing() || closing.shedConnection(),
  });
  return {
    server,
    updateQuarantine: product.updateQuarantine,
    warm: () => warmModels(store(), inference, [...warm, ...(isEager ? config.check.models : [])]),
    takeSnapshot: createSnapshotTaker({ ...product, board, isServing, metrics, registry, processMetrics }),
    refreshPolicies: product.refreshPolicies,
    drain: closing.drain,
    shed: closing.shed,
    flush: logs.flush,
  };
}

/** Remembers which connections the primary wants closed. */
function createClosing(): Pick<WorkerService, 'drain' | 'shed'> &
  Pick<HttpDependencies, 'draining' | 'shedConnection'> {
  let because: Draining | undefined;
  let toShed = 0;
  return {
    drain: (reason) => {
      because = reason;
    },
    draining: () => because,
    shed: (connections) => {
      toShed = connections;
    },
    shedConnection: () => toShed > 0 && toShed-- > 0,
  };
}
