import { errorTable } from '../error-table.ts';
import type { ErrorCode, ServiceError } from '../errors.ts';
import { problemContentType, toProblem } from '../problem.ts';
import { discardBody, discardSmallBody } from './body-discard.ts';
import { awaitReader, type Exchange, hasUnreadBody } from './exchange.ts';

/** A response of a route. */
export interface Answer {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly errorCode?: ErrorCode;
}

/** The problem document of an error as an answer. */
export function toErrorAnswer(error: ServiceError, requestId: string): Answer {
  const row = errorTable[error.code];
  const retryAfterSeconds = error.retryAfterSeconds ?? row.retryAfterSeconds;
  return {
    status: row.status,
    contentType: problemContentType,
    body: JSON.stringify(toProblem(error, requestId)),
    headers: retryAfterSeconds === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterSeconds)) },
    errorCode: error.code,
  };
}

/**
 * Sends an answer. If the request's body is not read yet, the answer is written at once, and the connection is closed
 * after the rest of the body is discarded.
 */
export async function sendAnswer(exchange: Exchange, answer: Answer): Promise<void> {
  if (hasUnreadBody(exchange)) await discardSmallBody(exchange);
  const { response } = exchange;
  if (exchange.isClosed || response.headersSent) return;
  const isEarly = hasUnreadBody(exchange);
  if (isEarly || exchange.mustClose()) response.setHeader('Connection', 'close');
  if (answer.errorCode !== undefined) exchange.errorCode = answer.errorCode;
  writeAnswer(exchange, answer, isEarly);
  if (isEarly) {
    await discardBody(exchange);
    response.end();
  }
  awaitReader(exchange);
}

function writeAnswer(exchange: Exchange, answer: Answer, isEarly: boolean): void {
  const { request, response } = exchange;
  const length = Buffer.byteLength(answer.body);
  if (answer.contentType !== undefined) {
    response.setHeader('Content-Type', answer.contentType);
    response.setHeader('Content-Length', length);
  }
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  // Null while an earlier request of the connection is unanswered: this answer is only queued then.
  const { socket } = response;
  const bytesBefore = socket?.bytesWritten ?? 0;
  response.writeHead(answer.status);
  if (isEarly) {
    response.write(answer.body);
    response.flushHeaders();
  } else {
    response.end(answer.body);
  }
  const bodyBytes = request.method === 'HEAD' ? 0 : length;
  const headerBytes = Math.max(0, (socket?.bytesWritten ?? 0) - bytesBefore - bodyBytes);
  exchange.sent = { status: answer.status, bodyBytes, headerBytes, sentAt: performance.now(), isEarly };
}
