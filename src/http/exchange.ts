import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createPipelines } from '../connection/pipeline.ts';
import type { ErrorCode } from '../errors.ts';
import { toRequestId } from './request-id.ts';

/** The answer as written to the client. */
export interface SentAnswer {
  readonly status: number;
  readonly bodyBytes: number;
  readonly headerBytes: number;
  /** On the clock of `performance.now()`. */
  readonly sentAt: number;
  /** Written before the request's body was read: complete for the client, although the response stays open. */
  readonly isEarly: boolean;
}

/** One request and its answer, from the request's header until the response closes. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** The client's own address if a trusted proxy forwarded it; stored because a closed socket has none. */
  readonly clientAddress: string | undefined;
  /** Unknown behind a trusted proxy. */
  readonly clientPort: number | undefined;
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly startedAtEpochMs: number;
  /** Longest time without progress while the client reads its answer. */
  readonly writeTimeoutMs: number;
  /** Aborted when the connection can't deliver more of the request; an answer may still be sent. */
  readonly cutOff: AbortController;
  /** Aborted when the client disconnects before its answer. */
  readonly clientGone: AbortController;
  /** Whether the connection closes after this answer. */
  readonly mustClose: () => boolean;
  /** Pattern of the route, or `other`. */
  route: string;
  errorCode?: ErrorCode;
  sent?: SentAnswer;
  /** Runs from the write of the answer until the kernel has accepted all of it. */
  unreadTimer?: NodeJS.Timeout;
  isClosed: boolean;
  /** Access-log variables that the check sets for this request. */
  readonly logVariables: Map<string, string | number>;
}

/** The pipeline of a connection. */
export const toPipeline = createPipelines<Exchange>();

interface ExchangeHooks extends Pick<Exchange, 'clientAddress' | 'writeTimeoutMs'> {
  readonly isClosing: () => boolean;
  readonly onClosed: (exchange: Exchange) => void;
}

/** Opens an exchange; `onClosed` is called once, when its answer is written or the client disconnects. */
export function openExchange(request: IncomingMessage, response: ServerResponse, hooks: ExchangeHooks): Exchange {
  const { clientAddress, writeTimeoutMs } = hooks;
  const { remoteAddress, remotePort } = request.socket;
  const cutOff = new AbortController();
  const clientGone = new AbortController();
  // Each image of a request adds a listener.
  setMaxListeners(0, clientGone.signal);
  const exchange: Exchange = {
    request,
    response,
    requestId: toRequestId(request.headers),
    clientAddress,
    clientPort: clientAddress === remoteAddress ? remotePort : undefined,
    startedAt: performance.now(),
    startedAtEpochMs: Date.now(),
    writeTimeoutMs,
    cutOff,
    clientGone,
    mustClose: () => cutOff.signal.aborted || hooks.isClosing(),
    route: 'other',
    logVariables: new Map(),
    isClosed: false,
  };
  const pipeline = toPipeline(request.socket);
  const close = () => {
    if (exchange.isClosed) return;
    exchange.isClosed = true;
    clearTimeout(exchange.unreadTimer);
    if (toFinalStatus(exchange) === clientClosedRequest) exchange.clientGone.abort();
    hooks.onClosed(exchange);
    pipeline.remove(exchange);
  };
  pipeline.add(exchange, close);
  response.once('close', close);
  return exchange;
}

/** A stall shorter than this is normal. */
const slowReaderMs = 1000;

/** Closes the connection when the client reads none of its answer for `writeTimeoutMs`. */
export function awaitReader(exchange: Exchange): void {
  if (exchange.isClosed) return;
  const timer = setTimeout(() => {
    // Null until earlier answers of the connection are written.
    if (exchange.response.socket === null) timer.refresh();
    else toPipeline(exchange.request.socket).awaitReader(exchange.writeTimeoutMs);
  }, slowReaderMs);
  exchange.unreadTimer = timer;
}

/** Status in the access log of a request whose client disconnected; nginx's number, never sent. */
const clientClosedRequest = 499;

/** The status of a closed exchange: the one sent, or 499. */
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
