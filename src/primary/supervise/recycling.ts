import type { RestartReason } from '../../metrics/primary-metrics.ts';
import type { WorkerHandle } from './worker-handle.ts';

type RecycleReason = Extract<RestartReason, 'max_requests' | 'memory' | 'age'>;

/** What the limits of a worker are checked against. */
export type Recyclable = Pick<
  WorkerHandle,
  'start' | 'stage' | 'listeningAt' | 'hungAt' | 'snapshot' | 'jitter' | 'failedReplacements' | 'keptUntil'
>;

interface RecyclableSlot {
  readonly current: Recyclable | undefined;
  readonly isChanging: boolean;
  readonly outgoing: { readonly size: number };
}

/** Largest random addition to a limit, so that workers forked together are not recycled together. */
const maxJitter = 0.1;
/** Longest wait before another try, in multiples of `stableMs`: 5 minutes. */
const maxBackoff = 60;

/**
 * Chooses the slot whose worker has reached a limit; undefined while there is none, or while any slot is changing.
 * @param stableMs minimum time that a worker listens, so that a limit that is too low causes no tight loop
 */
export function chooseDue<S extends RecyclableSlot>(
  slots: readonly S[],
  nowMs: number,
  stableMs: number,
): { slot: S; worker: NonNullable<S['current']>; reason: RecycleReason } | undefined {
  if (slots.some(({ isChanging, outgoing }) => isChanging || outgoing.size > 0)) return undefined;
  const due = slots.flatMap((slot) => {
    const worker: S['current'] = slot.current;
    if (worker?.stage !== 'listening' || worker.hungAt !== undefined || nowMs < worker.keptUntil) return [];
    const listenedMs = nowMs - (worker.listeningAt ?? nowMs);
    const reason = listenedMs < stableMs ? undefined : toReason(worker, listenedMs);
    return reason === undefined ? [] : [{ slot, worker, reason, listenedMs }];
  });
  // The longest listening first: when limits are so low that all are always due, each slot has its turn.
  return due.sort((a, b) => b.listenedMs - a.listenedMs)[0];
}

/** Returns how long a worker whose replacements failed is kept: twice as long after each. */
export function toKeptMs(failedReplacements: number, stableMs: number): number {
  return stableMs * Math.min(maxBackoff, 2 ** (failedReplacements - 1));
}

function toReason({ start, snapshot, jitter }: Recyclable, listenedMs: number): RecycleReason | undefined {
  const { maxRequests, maxPrivateBytes, maxAgeMs } = start.config.supervisor;
  const isAbove = (value: number, limit: number) => limit > 0 && value >= limit;
  const stretch = 1 + jitter * maxJitter;
  if (isAbove(snapshot?.memory.privateBytes ?? 0, maxPrivateBytes)) return 'memory';
  if (isAbove(snapshot?.requests ?? 0, Math.floor(maxRequests * stretch))) return 'max_requests';
  return isAbove(listenedMs, maxAgeMs * stretch) ? 'age' : undefined;
}
