import type { Stage } from '../supervise/worker-handle.ts';
import type { Share } from './share.ts';

/** The load of a worker. */
export interface Load {
  readonly inFlight: number;
  /** Open connections, with a request or without. */
  readonly connections: number;
}

/** Smaller differences even out within a second without closing a connection. */
const factor = 1.5;
const slack = 4;

/**
 * Returns how many connections a worker should close for all workers to have the same load. Kept connections stay with
 * their worker, so without it an uneven start would last.
 * @returns 0 when no other worker has clearly less load
 */
export function toSurplus(own: Load, others: readonly Load[]): number {
  const inFlight = others.map((other) => other.inFlight);
  if (own.inFlight <= factor * Math.min(...inFlight) + slack) return 0;
  const mean = [own.inFlight, ...inFlight].reduce((sum, count) => sum + count) / (inFlight.length + 1);
  return Math.min(own.connections, Math.ceil(own.inFlight - mean));
}

/** Lists the workers that may get a connection. */
export function listEligible<T extends { readonly stage: Stage; readonly isServing: boolean }>(
  workers: readonly T[],
): T[] {
  const listening = workers.filter(({ stage }) => stage === 'listening');
  const serving = listening.filter(({ isServing }) => isServing);
  // When no worker serves (a model failed in all), those that listen can still answer with that error.
  return serving.length > 0 ? serving : listening;
}

/**
 * Chooses the least busy recipient; among equals, the least recently used.
 * @param maxHeld connections that one worker can hold
 * @returns undefined when none can take a connection, or while the least busy one has not acknowledged what it was sent:
 * it soon will, and waiting for it keeps the load even
 */
export function chooseLeastBusy<T>(
  eligible: readonly T[],
  toShare: (recipient: T) => Share,
  maxHeld: number,
  nowMs: number,
): T | undefined {
  let best: { readonly recipient: T; readonly share: Share } | undefined;
  for (const recipient of eligible) {
    const share = toShare(recipient);
    if (share.size >= maxHeld || nowMs < share.avoidedUntilMs || share.isSlow(nowMs)) continue;
    if (best === undefined || isLess(share, best.share)) best = { recipient, share };
  }
  return best?.share.isFull === true ? undefined : best?.recipient;
}

function isLess(left: Share, right: Share): boolean {
  const difference = left.score - right.score;
  return difference === 0 ? left.givenLast < right.givenLast : difference < 0;
}
