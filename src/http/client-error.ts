import type { Socket } from 'node:net';
import { ServiceError } from '../errors.ts';
import type { HttpDependencies } from './dependencies.ts';
import { toPipeline } from './exchange.ts';
import type { Observer } from './observer.ts';
import { type Refusal, refuseConnection } from './refusal.ts';

/**
 * Creates the 'clientError' listener: errors below HTTP reach neither Express nor multer. If a request is open, its route
 * answers; otherwise the problem document is written to the socket.
 */
export function createClientErrorHandler(
  { metrics, log }: Pick<HttpDependencies, 'metrics' | 'log'>,
  observer: Observer,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  // After a parse error Node reports every further chunk, too.
  const failed = new WeakSet<Socket>();
  return (error, socket) => {
    if (failed.has(socket)) return;
    failed.add(socket);
    const { remoteAddress: address, remotePort: port } = socket;
    log.debug({ code: error.code, clientAddress: address }, 'a connection failed');
    const pipeline = toPipeline(socket);
    const isSilent = pipeline.isEmpty && socket.bytesRead === 0;
    if (!socket.writable || isSilent) {
      socket.destroy();
      return;
    }
    if (!pipeline.isEmpty) {
      // Its route answers. The error belongs to what follows the complete request; the connection closes after the answer.
      pipeline.end(() => {
        socket.destroySoon();
      });
      return;
    }
    const refusal = toRefusal(error);
    metrics.errors.inc({ error: refusal.error.code });
    observer.recordRefused(refuseConnection(socket, { address, port }, refusal));
  };
}

function toRefusal({ code }: NodeJS.ErrnoException): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { error: new ServiceError('ERR_UPLOAD_TIMEOUT', 'the request headers did not arrive in time') };
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, error: new ServiceError('ERR_REQUEST_INVALID', 'the request headers are too large') };
  }
  return { error: new ServiceError('ERR_REQUEST_INVALID', 'the request is not valid HTTP/1.1') };
}
