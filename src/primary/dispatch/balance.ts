import type { Stage } from '../supervise/worker-handle.ts';
import type { Share } from './share.ts';

/** What a worker has to do. */
export interface Load {
  readonly inFlight: number;
  /** Open connections, with a request or without. */
  readonly connections: number;
}

/** Differences that come and go by themselves within a second are no reason to close anything. */
const factor = 1.5;
const slack = 4;

/**
 * Says how many connections a worker should let go for all to have the same in flight: kept connections stay with their
 * worker, so what the first requests fell into would last.
 * @returns 0 where no other worker has clearly less to do.
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
  // Where no worker serves (a model failed in all), those that listen can still say so to the client.
  return serving.length > 0 ? serving : listening;
}

/**
 * Chooses the least busy recipient, among equals the one whose turn was longest ago.
 * @param maxHeld connections that one worker can hold
 * @returns undefined where none can take a connection, and where the least busy one has not yet acknowledged what it was sent:
 * it will in a moment, and waiting for it keeps the load even
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
