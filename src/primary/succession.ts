import type { HungModel } from '../ipc/messages.ts';
import type { RestartReason } from '../metrics/primary-metrics.ts';
import type { Slot } from './slot.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Lists the models that a slot's next worker loads before it listens: those that are loaded now. */
export function listWarmModels({ current }: Slot): string[] {
  if (current === undefined) return [];
  // A worker that is still starting will have what it was told to load.
  if (current.stage === 'forked') return [...current.start.warm];
  const loaded = Object.entries(current.snapshot?.models ?? {}).filter(([, { state }]) => state === 'ready');
  return loaded.map(([name]) => name);
}

/** Lists the models that a slot's next worker is careful with: their loads hang. */
export function listHungModels({ current }: Slot): HungModel[] {
  return Object.entries(current?.snapshot?.models ?? {}).flatMap(([name, { version, reason = '', hangs }]) =>
    hangs === undefined ? [] : [{ key: `${name.replace(/@.*$/, '')}@${version}`, reason, hangs }],
  );
}

/**
 * Lets the next worker of a slot take over once it is fit, and ends it when it is not.
 * @returns the reason of the restart when it has taken over just now.
 */
export function promoteSuccessor(slot: Slot): RestartReason | undefined {
  const { succession, current } = slot;
  if (succession === undefined || succession.isPromoted || succession.worker.isKilled) return undefined;
  const { worker, reason } = succession;
  const judgement = judgeSuccessor(worker, current);
  if (judgement === 'wait') return undefined;
  if (judgement !== 'fit') {
    succession.failure = judgement.failure;
    worker.kill();
    return undefined;
  }
  succession.isPromoted = true;
  slot.current = worker;
  slot.config = worker.start.config;
  slot.respawnAtMs = undefined;
  slot.death = undefined;
  if (current !== undefined) {
    slot.draining.add(current);
    current.drain('replaced');
  }
  return reason;
}

/** Completes a succession whose former worker is gone, or whose next one is gone before it could take over. */
export function settleSuccession(slot: Slot): void {
  const { succession } = slot;
  if (succession === undefined) return;
  const { worker, isPromoted, failure, settle } = succession;
  if (isPromoted ? slot.draining.size > 0 : worker.stage !== 'exited') return;
  slot.succession = undefined;
  if (isPromoted) settle(undefined);
  else settle(failure ?? worker.unable?.reason ?? (worker.killReason === undefined ? worker.ending : 'boot timeout'));
}

function judgeSuccessor(worker: WorkerHandle, current: WorkerHandle | undefined): 'wait' | 'fit' | { failure: string } {
  if (!worker.hasReported || worker.stage !== 'listening') return 'wait';
  const models = worker.start.warm.map((name) => ({ name, ...worker.snapshot?.models[name] }));
  const failed = models.find(({ state }) => state === 'failed');
  if (failed !== undefined) return { failure: `model ${failed.name} failed: ${failed.reason ?? 'no reason given'}` };
  if (current?.isServing === true && !worker.isServing) return { failure: 'it listens but does not serve' };
  if (models.every(({ state }) => state === 'ready')) return 'fit';
  const isLate = performance.now() - worker.forkedAtMs > worker.start.config.supervisor.bootTimeoutMs;
  return isLate ? { failure: 'its models are not ready in time' } : 'wait';
}
