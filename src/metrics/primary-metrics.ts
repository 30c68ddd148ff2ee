import { Counter, Gauge, Registry } from 'prom-client';
import type { EngineName, QuarantineState, WorkerSnapshot } from '../ipc/messages.ts';
import { toModelReference } from '../ipc/model-reference.ts';
import { createLogMetrics, type DroppedLines } from './log-metrics.ts';

/** Why a worker was replaced. */
export const restartReasons = [
  'harakiri',
  'crash',
  'oom',
  'heartbeat',
  'unreachable',
  'boot',
  'memory',
  'max_requests',
  'age',
  'reload',
] as const;
export type RestartReason = (typeof restartReasons)[number];

const modelStates = ['cold', 'loading', 'ready', 'failed'] as const;

/** Gauges of one slot. */
interface WorkerGauges {
  readonly slot: number;
  readonly isServing: boolean;
  readonly isReady: boolean;
  readonly snapshot: WorkerSnapshot | undefined;
}

/** Creates the primary's own metrics. */
export function createPrimaryMetrics(version: string, engine: EngineName, droppedLines: DroppedLines = {}) {
  const registry = new Registry();
  createLogMetrics(registry, droppedLines);
  const registers = [registry];
  const restarts = new Counter({
    name: 'image_check_worker_restarts_total',
    help: 'Respawned workers, by the reason why the previous one ended.',
    labelNames: ['reason'] as const,
    registers,
  });
  for (const reason of restartReasons) restarts.inc({ reason }, 0);
  new Gauge({
    name: 'image_check_build_info',
    help: 'Always 1; version, Node and engine are in the labels.',
    labelNames: ['version', 'node', 'engine'] as const,
    registers,
  }).set({ version, node: process.versions.node, engine }, 1);
  const suspects = new Gauge({
    name: 'image_check_suspects',
    help: 'Images that recently hung or crashed a worker: suspected after one strike, quarantined after two.',
    labelNames: ['state'] as const,
    registers,
  });
  const metrics = { registry, restarts, suspects, workers: createWorkerGauges(registry) };
  setQuarantineGauge(metrics, { suspected: [], quarantined: [] });
  return metrics;
}

export type PrimaryMetrics = ReturnType<typeof createPrimaryMetrics>;

function createWorkerGauges(registry: Registry) {
  const registers = [registry];
  return {
    serving: new Gauge({
      name: 'image_check_worker_serving',
      help: 'Whether the worker of the slot takes traffic.',
      labelNames: ['worker'] as const,
      registers,
    }),
    ready: new Gauge({
      name: 'image_check_worker_ready',
      help: 'Whether the worker of the slot has its default models loaded.',
      labelNames: ['worker'] as const,
      registers,
    }),
    modelState: new Gauge({
      name: 'image_check_model_state',
      help: 'Whether a model is in this state, by worker.',
      labelNames: ['model', 'state', 'worker'] as const,
      registers,
    }),
    memory: new Gauge({
      name: 'image_check_worker_memory_bytes',
      help: 'Memory of the worker of the slot: resident, proportional, private.',
      labelNames: ['worker', 'kind'] as const,
      registers,
    }),
  };
}

/** Sets the gauge of suspected and quarantined images. */
export function setQuarantineGauge(
  { suspects }: Pick<PrimaryMetrics, 'suspects'>,
  { suspected, quarantined }: QuarantineState,
): void {
  suspects.set({ state: 'suspected' }, suspected.length);
  suspects.set({ state: 'quarantined' }, quarantined.length);
}

/** Sets the gauges of all slots from the last snapshots. */
export function setWorkerGauges(gauges: PrimaryMetrics['workers'], workers: readonly WorkerGauges[]): void {
  for (const gauge of Object.values(gauges)) gauge.reset();
  for (const { slot, isServing, isReady, snapshot } of workers) {
    const worker = String(slot);
    gauges.serving.set({ worker }, Number(isServing));
    gauges.ready.set({ worker }, Number(isReady));
    for (const status of snapshot?.models ?? []) {
      const model = toModelReference(status);
      for (const state of modelStates) gauges.modelState.set({ model, state, worker }, Number(state === status.state));
    }
    if (snapshot === undefined) continue;
    gauges.memory.set({ worker, kind: 'rss' }, snapshot.memory.rssBytes);
    gauges.memory.set({ worker, kind: 'pss' }, snapshot.memory.pssBytes);
    gauges.memory.set({ worker, kind: 'private' }, snapshot.memory.privateBytes);
  }
}
