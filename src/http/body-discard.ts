import { setImmediate } from 'node:timers/promises';
import type { Exchange } from './exchange.ts';

/** Enough for an ordinary client to finish sending and start reading. */
const maxDiscardMs = 2000;
/** A body of this size is usually in flight already, and cheaper to read than a new connection. */
const smallBodyBytes = 131_072;
const smallBodyMs = 10;
const maxDiscardBytes = 32 * 2 ** 20;

/** Discards an unwanted body if it is small and arrives soon, which keeps the connection usable. */
export async function discardSmallBody(exchange: Exchange): Promise<void> {
  const { 'content-length': length, expect } = exchange.request.headers;
  const isSmall = Number(length ?? 0) <= smallBodyBytes && expect === undefined;
  await (isSmall ? discardBody(exchange, smallBodyMs) : setImmediate());
}

/**
 * Reads and discards the rest of a body, within limits. Closing a socket with unread bytes resets it, and a client that
 * is still sending (Python's urllib) then sees a broken pipe instead of the answer.
 */
export function discardBody({ request, cutOff }: Exchange, maxMs = maxDiscardMs): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      // Paused, not closed: the rest may fit into the buffers of the two kernels.
      if (bytes >= maxDiscardBytes) request.pause();
    };
    const finish = () => {
      clearTimeout(timer);
      request.off('data', count);
      resolve();
    };
    const timer = setTimeout(finish, maxMs);
    request.on('data', count);
    request.once('end', finish);
    request.once('close', finish);
    cutOff.signal.addEventListener('abort', finish, { once: true });
    request.resume();
  });
}
