import type { Registry } from 'prom-client';
import type { CheckService } from '../check/types.ts';
import type { InferenceService } from '../inference/inference-service.ts';
import type { WorkerSnapshot } from '../ipc/messages.ts';
import type { WorkerMetrics } from '../metrics/catalogue.ts';
import { collectFamilies } from '../metrics/families.ts';
import { createIdleCollector } from './idle-collection.ts';
import { createMemoryMeter } from './memory.ts';
import type { ModelBoard } from './model-board.ts';

/** What a snapshot of a worker is taken from. */
export interface SnapshotSources {
  readonly inference: Pick<InferenceService, 'queueDepth'>;
  readonly checkService: Pick<CheckService, 'checked'>;
  readonly board: ModelBoard;
  readonly isServing: () => boolean;
  readonly metrics: WorkerMetrics;
  readonly registry: Registry;
  /** CPU, memory and event loop of the worker. */
  readonly processMetrics: Registry;
}

/** Creates the function that takes the snapshots a worker pushes to the primary. */
export function createSnapshotTaker(sources: SnapshotSources): () => Promise<WorkerSnapshot> {
  const { inference, checkService, board, isServing, metrics, registry, processMetrics } = sources;
  const measureMemory = createMemoryMeter();
  const collectIdle = createIdleCollector();
  return async () => {
    const queueDepth = inference.queueDepth();
    metrics.queueDepth.set(queueDepth);
    const inFlight = await readInFlight(metrics);
    collectIdle(inFlight);
    return {
      serving: isServing(),
      ready: board.isReady(),
      models: board.toStatuses(),
      inFlight,
      queueDepth,
      checked: checkService.checked(),
      requests: await countChecks(metrics),
      memory: measureMemory(),
      metrics: await collectFamilies(registry, processMetrics),
    };
  };
}

async function readInFlight({ inFlight }: WorkerMetrics): Promise<number> {
  return (await inFlight.get()).values[0]?.value ?? 0;
}

async function countChecks({ httpRequests }: WorkerMetrics): Promise<number> {
  const { values } = await httpRequests.get();
  return values.reduce((sum, { labels, value }) => (labels.route === '/v1/check' ? sum + value : sum), 0);
}
