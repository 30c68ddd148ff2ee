import type { ModelSnapshot, ModelStatus, WorkerSnapshot } from '../../ipc/messages.ts';
import { toModelReference } from '../../ipc/model-reference.ts';
import type { Slot } from '../supervise/slot.ts';
import type { Stage, WorkerHandle } from '../supervise/worker-handle.ts';

/** One slot in `/health`. */
export interface WorkerStatus {
  readonly slot: number;
  /** Null while the slot has no process. */
  readonly pid: number | null;
  readonly stage: Stage;
  readonly serving: boolean;
  readonly ready: boolean;
  readonly models: Record<string, ModelSnapshot>;
  readonly inFlight: number;
  readonly queueDepth: number;
  readonly checked: number;
  /** Workers of this slot after the first one. */
  readonly restarts: number;
  /** Time since the worker's last message; null while the slot has no process. */
  readonly heartbeatAgeMs: number | null;
  readonly memory: WorkerSnapshot['memory'];
  /** Why the slot has no worker that listens. */
  readonly reason?: string;
  /** Former workers of the slot that drain; absent if there is none. */
  readonly draining?: readonly { pid: number | null; inFlight: number }[];
}

/** A version of a model in `/v1/models`. */
interface ModelSummary {
  readonly name: string;
  readonly version: string;
  /** Whether it serves when a request names no version. */
  readonly default: boolean;
  /** Names for `?policy=`; absent while no worker has read its manifest. */
  readonly policies?: readonly string[];
  readonly workers: ({ slot: number } & Pick<ModelSnapshot, 'state' | 'engine' | 'loadMs' | 'reason'>)[];
}

/** What the status of the service depends on beside its workers. */
interface ServiceFacts {
  readonly minServingWorkers: number;
  readonly isStopping: boolean;
  /** Whether workers die in a row without an answer in between. */
  readonly isFailing: boolean;
}

type ServiceStatus = 'ready' | 'unready' | 'draining';

const noSnapshot: WorkerSnapshot = {
  serving: false,
  ready: false,
  models: [],
  inFlight: 0,
  queueDepth: 0,
  checked: 0,
  requests: 0,
  memory: { rssBytes: 0, pssBytes: 0, privateBytes: 0 },
  metrics: [],
};

/** What the status of a slot is read from. */
export type SlotFacts = Pick<Slot, 'index' | 'isDown' | 'restarts' | 'death' | 'deaths'> & {
  readonly current: Pick<WorkerHandle, 'pid' | 'stage' | 'isServing' | 'isReady' | 'heardAt' | 'snapshot'> | undefined;
  readonly outgoing: Iterable<Pick<WorkerHandle, 'pid' | 'snapshot'>>;
};

/** Converts a slot to its entry in `/health`, from the last snapshot of its worker. */
export function toWorkerStatus(slot: SlotFacts, nowMs: number): WorkerStatus {
  const { current, death } = slot;
  const { models, inFlight, queueDepth, checked, memory } = current?.snapshot ?? noSnapshot;
  const reason = slot.isDown ? `down after ${String(slot.deaths)} deaths in a row: ${death?.text ?? ''}` : death?.text;
  const draining = [...slot.outgoing].map(({ pid, snapshot }) => ({
    pid: pid ?? null,
    inFlight: snapshot?.inFlight ?? 0,
  }));
  return {
    slot: slot.index,
    pid: current?.pid ?? null,
    stage: current?.stage ?? 'exited',
    serving: current?.isServing ?? false,
    ready: current?.isReady ?? false,
    models: toPublicModels(models),
    inFlight,
    queueDepth,
    checked,
    restarts: slot.restarts,
    heartbeatAgeMs: current === undefined ? null : Math.max(0, Math.round(nowMs - current.heardAt)),
    memory,
    ...(reason === undefined ? {} : { reason }),
    ...(draining.length === 0 ? {} : { draining }),
  };
}

/** Keys models by `name` for the default version, by `name@version` for any other. */
function toPublicModels(models: readonly ModelStatus[]): Record<string, ModelSnapshot> {
  return Object.fromEntries(
    models.map(({ name, isDefault, ...snapshot }) => [
      toModelReference({ name, version: snapshot.version, isDefault }),
      snapshot,
    ]),
  );
}

/** Collects the models of all workers, one entry for each version. */
export function toModelSummaries(slots: readonly Pick<SlotFacts, 'index' | 'current'>[]): ModelSummary[] {
  const summaries = new Map<string, ModelSummary>();
  for (const { index, current } of slots) {
    for (const model of current?.snapshot?.models ?? []) {
      const { name, version, isDefault, policies, state, engine, loadMs, reason } = model;
      const key = toModelReference({ name, version, isDefault: false });
      const summary = summaries.get(key) ?? {
        name,
        version,
        default: isDefault,
        ...(policies && { policies }),
        workers: [],
      };
      summaries.set(key, summary);
      summary.workers.push({
        slot: index,
        state,
        engine,
        ...(loadMs === undefined ? {} : { loadMs }),
        ...(reason === undefined ? {} : { reason }),
      });
    }
  }
  return [...summaries.values()].sort((a, b) => a.name.localeCompare(b.name) || Number(b.version) - Number(a.version));
}

/** Decides whether the service takes traffic. */
export function toServiceStatus(
  workers: readonly WorkerStatus[],
  { minServingWorkers, isStopping, isFailing }: ServiceFacts,
): ServiceStatus {
  if (isStopping) return 'draining';
  if (isFailing) return 'unready';
  return workers.filter(({ serving }) => serving).length >= minServingWorkers ? 'ready' : 'unready';
}
