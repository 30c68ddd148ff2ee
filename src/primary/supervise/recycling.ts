import type { RestartReason } from '../../metrics/primary-metrics.ts';
import type { WorkerHandle } from './worker-handle.ts';

type RecycleReason = Extract<RestartReason, 'max_requests' | 'memory' | 'age'>;

/** A worker as far as its limits go. */
export type Recyclable = Pick<
  WorkerHandle,
  'start' | 'stage' | 'listeningAt' | 'hungAt' | 'snapshot' | 'jitter' | 'failedReplacements' | 'keptUntil'
>;

interface RecyclableSlot {
  readonly current: Recyclable | undefined;
  readonly isChanging: boolean;
  readonly outgoing: { readonly size: number };
}

/** What chance adds to a limit at most: workers that were forked together do not retire together. */
const maxJitter = 0.1;
/** Longest wait for another try, in times of `stableMs`: 5 minutes. */
const maxBackoff = 60;

/**
 * Chooses the slot whose worker has reached a limit; undefined while there is none, or while any slot is changing.
 * @param stableMs for so long a worker listens at least, so that a limit that is too low makes no tight loop
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
  // The longest first: where limits are so low that all are always due, each slot has its turn.
  return due.sort((a, b) => b.listenedMs - a.listenedMs)[0];
}

/** Says for how long a worker is kept whose replacements failed: twice as long after each. */
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
