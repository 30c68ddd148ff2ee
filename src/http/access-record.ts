import type { IncomingHttpHeaders } from 'node:http';
import { type Exchange, toFinalStatus } from './exchange.ts';

/** The data of one access log line. */
export interface AccessRecord {
  readonly clientAddress: string | undefined;
  readonly clientPort: number | undefined;
  readonly method: string | undefined;
  /** As received, including the query. */
  readonly uri: string | undefined;
  readonly protocol: string | undefined;
  readonly requestHeaders: IncomingHttpHeaders;
  readonly requestHeaderCount: number;
  readonly status: number;
  readonly bodyBytes: number;
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly startedAtEpochMs: number;
  readonly durationMs: number;
  /** Log variables beyond uWSGI's own. */
  readonly variables: ReadonlyMap<string, string | number>;
}

/** The record of a closed exchange. */
export function toAccessRecord(exchange: Exchange): AccessRecord {
  const { request, response, sent } = exchange;
  const variables = new Map([...exchange.logVariables, ['reqid', exchange.requestId], ['route', exchange.route]]);
  if (exchange.errorCode !== undefined) variables.set('error', exchange.errorCode);
  return {
    clientAddress: exchange.clientAddress,
    clientPort: exchange.clientPort,
    method: request.method,
    uri: request.url,
    protocol: `HTTP/${request.httpVersion}`,
    requestHeaders: request.headers,
    requestHeaderCount: request.rawHeaders.length / 2,
    status: toFinalStatus(exchange),
    bodyBytes: sent?.bodyBytes ?? 0,
    headerBytes: sent?.headerBytes ?? 0,
    headerCount: response.getHeaderNames().length,
    startedAtEpochMs: exchange.startedAtEpochMs,
    durationMs: (sent?.sentAt ?? performance.now()) - exchange.startedAt,
    variables,
  };
}
