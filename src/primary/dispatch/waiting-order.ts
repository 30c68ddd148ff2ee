import type { Held } from './share.ts';

/** Age of the oldest waiting connection beyond which the newest go first. */
const floodedAfterMs = 250;

/**
 * Orders waiting connections: those that a worker lost, then the others by arrival. In a flood the newest of these go
 * first (LIFO); by arrival, each would wait as long as the whole flood takes.
 */
export function toSendingOrder(waiting: Iterable<Held>, nowMs: number): Held[] {
  const lost: Held[] = [];
  const fresh: Held[] = [];
  for (const held of waiting) (held.wasLost ? lost : fresh).push(held);
  if (nowMs - (fresh[0]?.arrivedAt ?? nowMs) > floodedAfterMs) fresh.reverse();
  return [...lost, ...fresh];
}
