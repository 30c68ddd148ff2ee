import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ServiceError } from '../errors.ts';
import type { HttpDependencies } from './dependencies.ts';
import { toPipeline } from './exchange.ts';
import type { Observer } from './observer.ts';
import { refuseConnection } from './refusal.ts';

/** The methods of all routes together. */
const allow = 'Allow: GET, HEAD, POST, OPTIONS';

/** Creates the listener of 'connect', which answers 405; behind requests that are not answered yet it only closes. */
export function createConnectHandler(
  { metrics }: Pick<HttpDependencies, 'metrics'>,
  observer: Observer,
): (request: IncomingMessage, socket: Duplex) => void {
  return (request, socket) => {
    // Node has removed its own listeners: without one, a reset would end the worker.
    socket.on('error', () => socket.destroy());
    if (!(socket instanceof Socket)) return;
    const { remoteAddress: address, remotePort: port } = socket;
    toPipeline(socket).end(() => {
      if (!socket.writable) return;
      const error = new ServiceError('ERR_METHOD_NOT_ALLOWED', 'CONNECT is not supported: this is not a proxy');
      metrics.errors.inc({ error: error.code });
      observer.recordRefused(refuseConnection(socket, { address, port, request }, { error, headers: [allow] }));
      socket.resume();
    });
  };
}
