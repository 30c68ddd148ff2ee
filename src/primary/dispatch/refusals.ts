import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ServiceError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { RefusalReason } from '../../metrics/connection-metrics.ts';
import { problemContentType, toProblem } from '../../problem.ts';

const answers: Readonly<Record<Exclude<RefusalReason, 'accept'>, ServiceError>> = {
  max_connections: new ServiceError('ERR_OVERLOADED', 'the service has too many open connections'),
  max_connections_per_address: new ServiceError('ERR_OVERLOADED', 'this address has too many open connections'),
  descriptors: new ServiceError('ERR_OVERLOADED', 'the service can open no more connections'),
  no_worker: new ServiceError('ERR_MODEL_UNAVAILABLE', 'no worker could take the connection in time'),
  draining: new ServiceError('ERR_DRAINING', 'the service is shutting down'),
};

/** Time for a refused client to read its answer, bytes of its request to discard meanwhile, and clients served so at once. */
const lingerMs = 2000;
const maxDiscardedBytes = 1_048_576;
const maxLingering = 32;
const logEveryMs = 10_000;

/** Refuses connections with an answer, or by closing when many are refused at once; counts them and logs the counts. */
export class Refusals {
  readonly #log: Logger;
  readonly #count: (reason: RefusalReason) => void;
  readonly #lingering = new Set<Socket>();
  readonly #unlogged = new Map<RefusalReason, number>();
  #loggedAt = -Infinity;

  constructor(log: Logger, count: (reason: RefusalReason) => void) {
    this.#log = log;
    this.#count = count;
  }

  /** Answers and closes a connection that no worker has seen. */
  refuse(socket: Socket, reason: Exclude<RefusalReason, 'accept'>): void {
    this.note(reason);
    if (this.#lingering.size >= maxLingering) {
      socket.destroy();
      return;
    }
    this.#lingering.add(socket);
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#lingering.delete(socket);
    });
    // Unread bytes would turn the close into a reset, which can overtake the answer.
    socket.on('data', () => {
      if (socket.bytesRead > maxDiscardedBytes) socket.destroy();
    });
    socket.end(toResponse(answers[reason]));
    socket.resume();
  }

  /** Counts a refused connection. */
  note(reason: RefusalReason): void {
    this.#count(reason);
    this.#unlogged.set(reason, (this.#unlogged.get(reason) ?? 0) + 1);
  }

  /** Logs the refusals since the last report, at most every 10 s. */
  report(nowMs: number): void {
    if (this.#unlogged.size === 0 || nowMs - this.#loggedAt < logEveryMs) return;
    this.#loggedAt = nowMs;
    this.#log.warn({ refused: Object.fromEntries(this.#unlogged) }, 'connections refused');
    this.#unlogged.clear();
  }
}

function toResponse(error: ServiceError): string {
  const requestId = randomUUID();
  const problem = toProblem(error, requestId);
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${String(problem.status)} ${STATUS_CODES[problem.status] ?? ''}`,
    `Content-Type: ${problemContentType}`,
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    `X-Request-Id: ${requestId}`,
    'Retry-After: 1',
    `Date: ${new Date().toUTCString()}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
