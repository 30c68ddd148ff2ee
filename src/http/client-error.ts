import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ServiceError } from '../errors.ts';
import type { AccessRecord } from './access-record.ts';
import type { HttpDependencies } from './dependencies.ts';
import { errorTable } from './error-table.ts';
import { findLatestExchange } from './exchange.ts';
import type { Observer } from './observer.ts';
import { toProblem } from './problem.ts';

/** How long a refused client may take to read its answer. */
const lingerMs = 2000;

/** What is wrong with a connection that brought no whole header. */
interface Refusal {
  readonly status: number;
  readonly error: ServiceError;
}

/**
 * Creates the listener of 'clientError': what goes wrong below HTTP reaches neither Express nor multer. Where a request
 * is open, its own route answers; else the problem document is written by hand.
 */
export function createClientErrorHandler(
  { metrics, log }: Pick<HttpDependencies, 'metrics' | 'log'>,
  observer: Observer,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  // After a parse error Node goes on to report every further chunk.
  const failed = new WeakSet<Socket>();
  return (error, socket) => {
    if (failed.has(socket)) return;
    failed.add(socket);
    log.debug({ code: error.code, clientAddress: socket.remoteAddress }, 'a connection failed');
    const exchange = findLatestExchange(socket);
    const isSilent = exchange === undefined && socket.bytesRead === 0;
    if (!socket.writable || isSilent) {
      socket.destroy();
      return;
    }
    if (exchange !== undefined) {
      // Its route answers. What follows a whole request is not that request's fault; the connection closes behind it.
      exchange.response.once('close', () => {
        socket.destroySoon();
      });
      exchange.cutOff.abort();
      return;
    }
    const refusal = toRefusal(error);
    metrics.errors.inc({ error: refusal.error.code });
    observer.recordRefused(refuse(socket, refusal));
  };
}

function toRefusal({ code }: NodeJS.ErrnoException): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const error = new ServiceError('ERR_UPLOAD_TIMEOUT', "the request's header did not arrive in time");
    return { status: errorTable[error.code].status, error };
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, error: new ServiceError('ERR_REQUEST_INVALID', "the request's header is too large") };
  }
  const error = new ServiceError('ERR_REQUEST_INVALID', 'this is not HTTP/1.1');
  return { status: errorTable[error.code].status, error };
}

function refuse(socket: Socket, { status, error }: Refusal): AccessRecord {
  const requestId = randomUUID();
  const body = JSON.stringify({ ...toProblem(error, requestId), status });
  const header = [
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    `X-Request-Id: ${requestId}`,
    `Date: ${new Date().toUTCString()}`,
    'Connection: close',
    '\r\n',
  ].join('\r\n');
  const { remoteAddress: clientAddress, remotePort: clientPort } = socket;
  // Only this side is closed: what the client still sends is read on, else it would be reset before it has read.
  socket.end(header + body);
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => {
    clearTimeout(timer);
  });
  return {
    clientAddress,
    clientPort,
    method: undefined,
    uri: undefined,
    protocol: undefined,
    requestHeaders: {},
    requestHeaderCount: 0,
    status,
    bodyBytes: Buffer.byteLength(body),
    headerBytes: header.length,
    headerCount: 7,
    startedAtEpochMs: Date.now(),
    durationMs: 0,
    variables: new Map([
      ['reqid', requestId],
      ['error', error.code],
    ]),
  };
}
