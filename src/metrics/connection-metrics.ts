import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * Why a connection was refused: a configured limit, too few file descriptors, no worker that could take it, or the system,
 * which could not even accept it.
 */
const refusalReasons = [
  'max_connections',
  'max_connections_per_address',
  'descriptors',
  'no_worker',
  'draining',
  'accept',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** Where connections are. */
interface ConnectionCounts {
  readonly open: number;
  readonly unacknowledged: number;
  readonly waiting: number;
}

/** Creates the metrics of connections. @returns what counts a refused one */
export function createConnectionMetrics(
  registry: Registry,
  counts: () => ConnectionCounts,
): (reason: RefusalReason) => void {
  const registers = [registry];
  new Gauge({
    name: 'image_check_connections',
    help: 'Connections: open in a worker, sent but not acknowledged, waiting in the primary.',
    labelNames: ['state'] as const,
    registers,
    collect() {
      for (const [state, count] of Object.entries(counts())) this.set({ state }, count as number);
    },
  });
  const refused = new Counter({
    name: 'image_check_connections_refused_total',
    help: 'Connections that no worker served, by reason.',
    labelNames: ['reason'] as const,
    registers,
  });
  for (const reason of refusalReasons) refused.inc({ reason }, 0);
  return (reason) => {
    refused.inc({ reason });
  };
}
