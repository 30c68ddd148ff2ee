import type { Server } from 'node:http';
import { Registry } from 'prom-client';
import { createHttpServer } from '../http/server.ts';
import { createByteBudget } from '../http/upload/byte-budget.ts';
import { createInFlightJournal } from '../ipc/in-flight-journal.ts';
import type { DrainReason, QuarantineState, ToWorker, WorkerSnapshot } from '../ipc/messages.ts';
import { journalDescriptor } from '../ipc/worker-descriptors.ts';
import { createWorkerMetrics } from '../metrics/catalogue.ts';
import { createProcessMetrics } from '../metrics/process-metrics.ts';
import { createClosing } from './closing.ts';
import { createServices } from './composition-root.ts';
import { createModelBoard } from './model-board.ts';
import type { PrimaryLink } from './primary-link.ts';
import { createSnapshotTaker } from './snapshot.ts';
import { inheritHangs, warmModels } from './warm-up.ts';
import type { WorkerLogs } from './worker-logs.ts';

/** The services of a supervised worker behind an HTTP server. */
export interface WorkerService {
  readonly server: Server;
  /** Replaces what this worker knows of quarantined images. */
  readonly updateQuarantine: (state: QuarantineState) => void;
  /** Loads what must be in memory before the worker listens. @throws ERR_MODEL_UNAVAILABLE */
  readonly warm: () => Promise<void>;
  readonly takeSnapshot: () => Promise<WorkerSnapshot>;
  /** Takes over thresholds that have changed on disk. */
  readonly refreshPolicies: () => Promise<void>;
  /** Makes every answer from now on close its connection. */
  readonly drain: (because: DrainReason) => void;
  /** Makes the next `connections` answers on keep-alive connections close them. */
  readonly shed: (connections: number) => void;
  /** Resolves when every line of both logs is written. */
  readonly flush: () => Promise<void>;
}

/**
 * Puts the services of a worker behind HTTP, as the primary's `start` message demands.
 * @throws ExitError 78 where the models folder or `check.models` is invalid
 */
export function createWorkerService(
  start: Extract<ToWorker, { type: 'start' }>,
  primary: PrimaryLink,
  logs: WorkerLogs,
): WorkerService {
  const { log, accessLog } = logs;
  const { slot, engine, config, versions, warm } = start;
  const registry = new Registry();
  const metrics = createWorkerMetrics(registry, logs.droppedLines);
  const processMetrics = createProcessMetrics(String(slot));
  let isHung = false;
  const services = createServices({
    ...{ config, engine, metrics, log, versions },
    quarantine: {
      journal: start.hasJournal ? createInFlightJournal(journalDescriptor) : undefined,
      onStrike: primary.tellStrike,
      onCleared: primary.tellCleared,
    },
    onHang: (reason, suspects) => {
      isHung = true;
      primary.tellStuck(reason, suspects);
    },
  });
  const { store, inference, checkService, quarantine, refreshPolicies } = services;
  inheritHangs(services, start.hung);
  const board = createModelBoard(store, config, engine, inference);
  const closing = createClosing();
  const isEager = config.model.load === 'eager';
  const isServing = (): boolean => !isHung && (isEager ? board.isReady() : board.canServe());
  const server = createHttpServer({
    ...{ config, checkService, metrics, log, accessLog },
    byteBudget: createByteBudget(config.upload.maxBufferedBytes),
    askPrimary: primary.ask,
    identity: { slot, pid: process.pid },
    draining: closing.draining,
    // A kept connection would bring its client error after error while another worker may serve.
    shedConnection: () => !isServing() || closing.shedConnection(),
  });
  return {
    ...{ server, refreshPolicies, drain: closing.drain, shed: closing.shed, flush: logs.flush },
    updateQuarantine: (state) => {
      quarantine.update(state);
    },
    warm: () => warmModels(store(), inference, [...warm, ...(isEager ? config.check.models : [])]),
    takeSnapshot: createSnapshotTaker({ inference, checkService, board, isServing, metrics, registry, processMetrics }),
  };
}
