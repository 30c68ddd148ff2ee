import type { Socket } from 'node:net';
import { toPipeline } from './exchange.ts';

const probeMs = 500;

/**
 * Tells a client that closed its sending side, and reads its answer, from one that is gone: TCP shows both alike until
 * something is written. `100 Continue` may be discarded by any HTTP/1.1 client (RFC 9110, 15.2.1); the kernel of one
 * that is gone answers it with a reset, which the next write reports.
 */
export function watchHalfClose(socket: Socket): void {
  socket.once('end', () => {
    const pipeline = toPipeline(socket);
    const probe = () => {
      const { request, response } = pipeline.first ?? {};
      if (request?.complete !== true || request.httpVersion !== '1.1') return;
      // Without a socket it waits behind a response that is being written.
      if (response?.socket === socket && !response.headersSent) response.writeContinue();
    };
    probe();
    const timer = setInterval(probe, probeMs);
    socket.once('close', () => {
      clearInterval(timer);
    });
  });
}
