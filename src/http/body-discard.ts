import { setImmediate } from 'node:timers/promises';
import type { Exchange } from './exchange.ts';

/** Long enough for an ordinary client to finish sending and turn to reading. */
const maxDiscardMs = 2000;
/** A body of this size is on its way when its header is read, and costs less to read than a new connection. */
const smallBodyBytes = 131_072;
const smallBodyMs = 10;
const maxDiscardBytes = 32 * 2 ** 20;

/** Reads what arrives soon of a body that nobody wants: where that is all of it, the connection can be kept. */
export async function discardSmallBody(exchange: Exchange): Promise<void> {
  const { 'content-length': length, expect } = exchange.request.headers;
  const isSmall = Number(length ?? 0) <= smallBodyBytes && expect === undefined;
  await (isSmall ? discardBody(exchange, smallBodyMs) : setImmediate());
}

/**
 * Reads the rest of a body and throws it away, within bounds. Closing a socket with unread bytes resets it, and a client
 * that is still sending (Python's urllib) then sees a broken pipe in place of the answer.
 */
export function discardBody({ request, cutOff }: Exchange, maxMs = maxDiscardMs): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      // Not closed yet: what is still on its way may fit into the buffers of the two kernels.
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
