import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createPipelines } from '../connection/pipeline.ts';
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
  /** The client's own address where a trusted proxy forwarded it; kept because a closed socket has none. */
  readonly clientAddress: string | undefined;
  /** Unknown behind a trusted proxy. */
  readonly clientPort: number | undefined;
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly startedAtEpochMs: number;
  /** How long the client may go without reading any of its answer. */
  readonly writeTimeoutMs: number;
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
  /** Runs from the writing of the answer until the kernel has taken all of it. */
  unreadTimer?: NodeJS.Timeout;
  isClosed: boolean;
  /** What the product says of this request, by the name of its variable in the access log. */
  readonly logVariables: Map<string, string | number>;
}

/** The pipeline of a connection. */
export const toPipeline = createPipelines<Exchange>();

interface ExchangeHooks extends Pick<Exchange, 'clientAddress' | 'writeTimeoutMs'> {
  readonly isClosing: () => boolean;
  readonly onClosed: (exchange: Exchange) => void;
}

/** Opens an exchange; `onClosed` is called once, when its answer is written or its client gone. */
export function openExchange(request: IncomingMessage, response: ServerResponse, hooks: ExchangeHooks): Exchange {
  const { clientAddress, writeTimeoutMs } = hooks;
  const { remoteAddress, remotePort } = request.socket;
  const cutOff = new AbortController();
  const clientGone = new AbortController();
  // Each image of a request listens.
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

/** Before this time an answer that the kernel does not take is nothing unusual. */
const slowReaderMs = 1000;

/** Closes the connection when its client reads nothing of a written answer for `writeTimeoutMs`. */
export function awaitReader(exchange: Exchange): void {
  if (exchange.isClosed) return;
  const timer = setTimeout(() => {
    // Null while an earlier answer of the connection is not written.
    if (exchange.response.socket === null) timer.refresh();
    else toPipeline(exchange.request.socket).awaitReader(exchange.writeTimeoutMs);
  }, slowReaderMs);
  exchange.unreadTimer = timer;
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
