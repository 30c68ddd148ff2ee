import type { Registry } from 'prom-client';
import { ServiceError, toMessage } from '../../errors.ts';
import type { MetricFamily, OpsAnswer, OpsPath } from '../../ipc/messages.ts';
import type { Logger } from '../../log.ts';
import { collectFamilies } from '../../metrics/families.ts';
import { expositionContentType, mergeMetrics, toSharedFamilies } from '../../metrics/merge.ts';
import { type PrimaryMetrics, setWorkerGauges } from '../../metrics/primary-metrics.ts';
import { problemContentType, toOpsProblem } from '../../problem.ts';
import type { RollingRestartStatus } from '../supervise/rolling-restart.ts';
import type { Slot } from '../supervise/slot.ts';
import { createSharedExposition } from './shared-exposition.ts';
import { toModelSummaries, toServiceStatus, toWorkerStatus } from './status-board.ts';

/** What the operations endpoints read; nothing of it waits for a worker. */
export interface OpsSources {
  readonly version: string;
  readonly slots: readonly Slot[];
  readonly metrics: PrimaryMetrics;
  /** CPU, memory and event loop of the primary. */
  readonly processMetrics: Registry;
  /** Metrics of dead workers. */
  readonly retired: () => readonly MetricFamily[];
  readonly minServingWorkers: () => number;
  readonly isStopping: () => boolean;
  /** Whether workers die in a row without an answer in between. */
  readonly isFailing: () => boolean;
  readonly rollingRestart: () => RollingRestartStatus | undefined;
}

/** Answers one operations path. */
export type OpsAnswerer = (path: OpsPath) => Promise<OpsAnswer>;

/** Creates the answerer of operations paths, for the ops port and for workers that ask; it never rejects. */
export function createOpsAnswerer(sources: OpsSources, log: Logger): OpsAnswerer {
  const readExposition = createSharedExposition(() => toExposition(sources));
  return async (path) => {
    try {
      if (path !== '/metrics') return answerStatus(path, sources);
      return { status: 200, contentType: expositionContentType, body: await readExposition() };
    } catch (error) {
      log.error({ err: error, path }, `operations endpoint failed: ${toMessage(error)}`);
      return toProblemAnswer(new ServiceError('ERR_INTERNAL', 'internal error; the log has the cause'));
    }
  };
}

/** Answers with a problem document. */
export function toProblemAnswer(error: ServiceError): OpsAnswer {
  const problem = toOpsProblem(error);
  return { status: problem.status, contentType: problemContentType, body: `${JSON.stringify(problem)}\n` };
}

/** Answers from memory: a probe waits for no merge and no file. */
function answerStatus(path: Exclude<OpsPath, '/metrics'>, sources: OpsSources): OpsAnswer {
  if (path === '/livez') return toJson(200, { status: 'live' });
  if (path === '/v1/models') return toJson(200, { models: toModelSummaries(sources.slots) });
  const workers = sources.slots.map((slot) => toWorkerStatus(slot, performance.now()));
  const isFailing = sources.isFailing();
  const facts = { minServingWorkers: sources.minServingWorkers(), isStopping: sources.isStopping(), isFailing };
  const status = toServiceStatus(workers, facts);
  const code = status === 'ready' ? 200 : 503;
  if (path === '/readyz') return toJson(code, { status });
  const rollingRestart = sources.rollingRestart();
  return toJson(code, {
    status,
    ...(isFailing && { reason: 'workers die in a row without an answer in between' }),
    version: sources.version,
    uptimeSeconds: Math.floor(process.uptime()),
    primary: { pid: process.pid, rssBytes: process.memoryUsage.rss() },
    ...(rollingRestart === undefined ? {} : { rollingRestart }),
    workers,
  });
}

async function toExposition({ slots, metrics, processMetrics, retired }: OpsSources): Promise<string> {
  const gauges = slots.map(({ index, current }) => ({
    slot: index,
    isServing: current?.isServing ?? false,
    isReady: current?.isReady ?? false,
    snapshot: current?.snapshot,
  }));
  setWorkerGauges(metrics.workers, gauges);
  const own = await collectFamilies(metrics.registry, processMetrics);
  // Read last and in one turn: an await between a worker's death and its retirement would lose or double its counts.
  const workers = slots.flatMap(({ current, workers: living }) =>
    living.map((worker) => {
      const families = worker.snapshot?.metrics ?? [];
      return worker === current ? families : toSharedFamilies(families);
    }),
  );
  return mergeMetrics([own, retired(), ...workers]);
}

function toJson(status: number, body: object): OpsAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(body)}\n` };
}
