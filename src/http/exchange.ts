import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import { toRequestId } from './request-id.ts';

/** What was written to the client. */
export interface SentAnswer {
  readonly status: number;
  readonly bodyBytes: number;
  readonly headerBytes: number;
  /** On the clock of `performance.now()`. */
  readonly sentAt: number;
  /** Written before the request's body was read: complete for the client although the response stays open. */
  readonly isEarly: boolean;
}

/** One request and its answer, from the request's header to the closing of the response. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Gone from the socket once it is closed, hence kept. */
  readonly clientAddress: string | undefined;
  readonly clientPort: number | undefined;
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly startedAtEpochMs: number;
  /** Aborted when the connection can bring no more of the request, while an answer may still leave. */
  readonly cutOff: AbortController;
  /** Aborted when the client went away before its answer. */
  readonly clientGone: AbortController;
  /** Whether the connection closes after this answer. */
  readonly mustClose: () => boolean;
  /** Pattern of the route, or `other`. */
  route: string;
  errorCode?: ErrorCode;
  sent?: SentAnswer;
  isClosed: boolean;
  /** What the product says of this request, by the name of its variable in the access log. */
  readonly logVariables: Map<string, string | number>;
}

/** Open exchanges of a connection in the order of their requests (pipelining allows several), and how to close each. */
const openExchanges = new WeakMap<Socket, Map<Exchange, () => void>>();

/** Opens an exchange; `onClosed` is called once, when its answer is written or its client gone. */
export function openExchange(
  request: IncomingMessage,
  response: ServerResponse,
  hooks: { isClosing: () => boolean; onClosed: (exchange: Exchange) => void },
): Exchange {
  const cutOff = new AbortController();
  const clientGone = new AbortController();
  // Each image of a request listens.
  setMaxListeners(0, clientGone.signal);
  const exchange: Exchange = {
    request,
    response,
    requestId: toRequestId(request.headers),
    clientAddress: request.socket.remoteAddress,
    clientPort: request.socket.remotePort,
    startedAt: performance.now(),
    startedAtEpochMs: Date.now(),
    cutOff,
    clientGone,
    mustClose: () => cutOff.signal.aborted || hooks.isClosing(),
    route: 'other',
    logVariables: new Map(),
    isClosed: false,
  };
  const siblings = openExchanges.get(request.socket) ?? watchConnection(request.socket);
  const close = () => {
    if (exchange.isClosed) return;
    exchange.isClosed = true;
    siblings.delete(exchange);
    if (toFinalStatus(exchange) === clientClosedRequest) exchange.clientGone.abort();
    hooks.onClosed(exchange);
  };
  siblings.set(exchange, close);
  response.once('close', close);
  return exchange;
}

function watchConnection(socket: Socket): Map<Exchange, () => void> {
  const exchanges = new Map<Exchange, () => void>();
  openExchanges.set(socket, exchanges);
  socket.once('close', () => {
    // Node closes only the response whose turn it is; those that wait behind it would stay open for ever.
    for (const close of [...exchanges.values()]) close();
  });
  return exchanges;
}

/** The exchange whose request arrived last on a connection, while it is open. */
export function findLatestExchange(socket: Socket): Exchange | undefined {
  return [...(openExchanges.get(socket)?.keys() ?? [])].at(-1);
}

/** What the access log says of a client that went away; nginx's number, never sent. */
const clientClosedRequest = 499;

/** The status of a closed exchange: what the client got, else 499. */
export function toFinalStatus(exchange: Exchange): number {
  const { sent, response } = exchange;
  return sent !== undefined && (sent.isEarly || response.writableFinished) ? sent.status : clientClosedRequest;
}

/** Whether a part of the request's body is still to come. */
export function hasUnreadBody({ request, cutOff }: Exchange): boolean {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  const hasBody = coding !== undefined || (length !== undefined && Number(length) > 0);
  return hasBody && !request.complete && !cutOff.signal.aborted;
}
