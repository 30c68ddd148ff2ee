import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorTable } from '../error-table.ts';
import type { ServiceError } from '../errors.ts';
import { problemContentType, toProblem } from '../problem.ts';
import type { AccessRecord } from './access-record.ts';
import { toRequestId } from './request-id.ts';

/** Time for a refused client to read its answer. */
const lingerMs = 2000;

/** A client that is answered outside of Node's HTTP server. */
export interface RefusedClient {
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** Undefined if no complete header arrived. */
  readonly request?: IncomingMessage;
}

/** Why a connection is closed, and overrides for its answer. */
export interface Refusal {
  readonly error: ServiceError;
  /** Overrides the status of the error table. */
  readonly status?: number;
  readonly headers?: readonly string[];
}

/** Writes a problem document to the socket and closes the connection; returns its access log record. */
export function refuseConnection(socket: Duplex, client: RefusedClient, refusal: Refusal): AccessRecord {
  const { request } = client;
  const { error, status = errorTable[error.code].status, headers = [] } = refusal;
  const requestId = request === undefined ? randomUUID() : toRequestId(request.headers);
  const body = JSON.stringify({ ...toProblem(error, requestId), status });
  const lines = [
    `Content-Type: ${problemContentType}`,
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    `X-Request-Id: ${requestId}`,
    `Date: ${new Date().toUTCString()}`,
    ...headers,
    'Connection: close',
  ];
  const header = [`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}`, ...lines, '\r\n'].join('\r\n');
  // Only the sending side is closed: unread bytes would reset the connection before the client has read the answer.
  socket.end(header + body);
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => {
    clearTimeout(timer);
  });
  return {
    clientAddress: client.address,
    clientPort: client.port,
    method: request?.method,
    uri: request?.url,
    protocol: request && `HTTP/${request.httpVersion}`,
    requestHeaders: request?.headers ?? {},
    requestHeaderCount: (request?.rawHeaders.length ?? 0) / 2,
    status,
    bodyBytes: Buffer.byteLength(body),
    headerBytes: header.length,
    headerCount: lines.length,
    startedAtEpochMs: Date.now(),
    durationMs: 0,
    variables: new Map([
      ['reqid', requestId],
      ['error', error.code],
    ]),
  };
}
