import type { Socket } from 'node:net';
import { toPipeline } from './exchange.ts';

const probeMs = 500;

/**
 * Distinguishes a client that closed its sending side and waits for the answer from one that disconnected: on TCP they
 * look the same until something is written. HTTP/1.1 clients may discard `100 Continue` (RFC 9110, 15.2.1); the kernel of
 * a disconnected one replies with a reset, which the next write reports.
 */
export function watchHalfClose(socket: Socket): void {
  socket.once('end', () => {
    const pipeline = toPipeline(socket);
    const probe = () => {
      const { request, response } = pipeline.first ?? {};
      if (request?.complete !== true || request.httpVersion !== '1.1') return;
      // Without a socket, the response is queued behind another one.
      if (response?.socket === socket && !response.headersSent) response.writeContinue();
    };
    probe();
    const timer = setInterval(probe, probeMs);
    socket.once('close', () => {
      clearInterval(timer);
    });
  });
}
