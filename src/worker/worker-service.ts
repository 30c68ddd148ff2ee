import type { Server } from 'node:http';
import { Registry } from 'prom-client';
import { type Checker, createChecker } from '../check/checker.ts';
import { createAccessLog } from '../http/access-log.ts';
import { createByteBudget } from '../http/byte-budget.ts';
import type { HttpDependencies } from '../http/dependencies.ts';
import { createHttpServer } from '../http/server.ts';
import type { InferenceService } from '../inference/inference-service.ts';
import { createFlightJournal, journalDescriptor } from '../ipc/flight-journal.ts';
import type { HungModel, OpsAnswer, OpsPath, Suspicions, ToWorker, WorkerSnapshot } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import { createWorkerMetrics, type WorkerMetrics } from '../metrics/catalogue.ts';
import { collectFamilies } from '../metrics/families.ts';
import { createProcessMetrics } from '../metrics/process-metrics.ts';
import { findVersion, type ModelStore } from '../model/model-store.ts';
import { toModelKey } from '../model/model-version.ts';
import { measureMemory } from './memory.ts';
import { createModelBoard } from './model-board.ts';

type Start = Extract<ToWorker, { type: 'start' }>;
export type Draining = Extract<ToWorker, { type: 'drain' }>['because'];

/** All rooms of a worker, put together. */
export interface WorkerService {
  readonly server: Server;
  /** Takes over what the workers together know of images that hung or crashed one. */
  readonly learn: (suspicions: Suspicions) => void;
  /** Loads what must be in memory before the worker listens. @throws ERR_MODEL_UNAVAILABLE */
  readonly warm: () => Promise<void>;
  readonly takeSnapshot: () => Promise<WorkerSnapshot>;
  /** Lets every answer from now on close its connection. */
  readonly drain: (because: Draining) => void;
  /** Lets the next so many answers on kept connections close them. */
  readonly shed: (connections: number) => void;
  /** Resolves when every line of the access log is written. */
  readonly flush: () => Promise<void>;
}

/** What the rooms of a worker ask and tell the primary. */
export interface PrimaryLink {
  readonly ask: (path: OpsPath) => Promise<OpsAnswer>;
  /** A model thread hangs: this process goes on as well as it can until another has taken over. */
  readonly tellStuck: (reason: string, suspects: readonly string[]) => void;
  readonly tellCleared: (suspect: string) => void;
}

/**
 * Builds the rooms from what the primary said at the start.
 * @throws ExitError 78 where the models folder or `check.models` doesn't fit.
 */
export function createWorkerService(start: Start, primary: PrimaryLink, log: Logger): WorkerService {
  const { slot, engine, config, warm } = start;
  const product = new Registry();
  const metrics = createWorkerMetrics(product);
  const processMetrics = createProcessMetrics(String(slot));
  const { store, inference, suspicion, checkService, isStuck } = createProduct(start, primary, metrics, log);
  const board = createModelBoard(store, config.check.models, engine, inference);
  const identity = { slot, pid: process.pid };
  const accessLog = createAccessLog(config.log, identity, log);
  const closing = createClosing();

  const server = createHttpServer({
    config,
    checkService,
    byteBudget: createByteBudget(config.upload.maxBufferedBytes),
    askPrimary: primary.ask,
    metrics,
    log,
    accessLog,
    identity,
    draining: closing.draining,
    shedConnection: closing.shedConnection,
  });
  const toWarm = [...warm, ...(config.model.load === 'eager' ? config.check.models : [])];
  return {
    server,
    learn: (suspicions) => {
      suspicion.learn(suspicions);
    },
    warm: () => warmModels(store, inference, toWarm),
    takeSnapshot: async () => {
      metrics.queueDepth.set(inference.queueDepth());
      return {
        serving: (config.model.load === 'eager' ? board.isReady() : board.canServe()) && !isStuck(),
        ready: board.isReady(),
        models: board.toSnapshots(),
        inFlight: (await metrics.inFlight.get()).values[0]?.value ?? 0,
        queueDepth: inference.queueDepth(),
        checked: checkService.checked(),
        requests: await countChecks(metrics),
        memory: await measureMemory(),
        metrics: await collectFamilies(product, processMetrics),
      };
    },
    drain: closing.drain,
    shed: closing.shed,
    flush: () => accessLog.flush(),
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

/** The product as a part of a supervised worker: it says when it hangs. */
function createProduct(
  { engine, config, hung, hasJournal }: Start,
  primary: PrimaryLink,
  metrics: WorkerMetrics,
  log: Logger,
): Checker & { isStuck: () => boolean } {
  let isStuck = false;
  const checker = createChecker({
    config,
    engine,
    metrics,
    log,
    suspicion: {
      journal: hasJournal ? createFlightJournal(journalDescriptor) : undefined,
      onCleared: primary.tellCleared,
    },
    onStuck: (reason, suspects) => {
      isStuck = true;
      primary.tellStuck(reason, suspects);
    },
  });
  inheritHangs(checker, hung);
  return { ...checker, isStuck: () => isStuck };
}

/** Models whose loads hung in the worker before are known as failed here, until their back-off is over. */
function inheritHangs({ store, inference }: Checker, hung: readonly HungModel[]): void {
  for (const stored of [...store.values()].flat()) {
    const known = stored.kind === 'usable' ? hung.find(({ key }) => key === toModelKey(stored.model)) : undefined;
    if (stored.kind === 'usable' && known) inference.inherit(stored.model, known);
  }
}

async function countChecks({ httpRequests }: WorkerMetrics): Promise<number> {
  const { values } = await httpRequests.get();
  return values.reduce((sum, { labels, value }) => (labels.route === '/v1/check' ? sum + value : sum), 0);
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
