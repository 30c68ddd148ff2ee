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
