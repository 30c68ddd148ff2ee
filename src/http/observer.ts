import { type AccessRecord, toAccessRecord } from './access-record.ts';
import type { HttpDependencies } from './dependencies.ts';
import type { Exchange } from './exchange.ts';

/** Counts and logs requests. */
export interface Observer {
  readonly countOpened: () => void;
  readonly recordClosed: (exchange: Exchange) => void;
  /** Records a connection that was refused before its first request. */
  readonly recordRefused: (record: AccessRecord) => void;
}

/** Methods with their own metric label; other strings from clients must not become labels. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Creates the observer of a worker. */
export function createObserver({ metrics, accessLog }: Pick<HttpDependencies, 'metrics' | 'accessLog'>): Observer {
  const record = (entry: AccessRecord, route: string) => {
    const method = knownMethods.has(entry.method ?? '') ? (entry.method ?? 'other') : 'other';
    metrics.httpRequests.inc({ route, method, code: String(entry.status) });
    accessLog.write(entry);
  };
  return {
    countOpened() {
      metrics.inFlight.inc();
    },
    recordClosed(exchange) {
      metrics.inFlight.dec();
      const entry = toAccessRecord(exchange);
      metrics.requestDuration.observe({ route: exchange.route }, entry.durationMs / 1000);
      record(entry, exchange.route);
    },
    recordRefused(entry) {
      record(entry, 'other');
    },
  };
}
