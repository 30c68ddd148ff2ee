import type { Socket } from 'node:net';
import { ServiceError } from '../errors.ts';
import type { HttpDependencies } from './dependencies.ts';
import { toPipeline } from './exchange.ts';
import type { Observer } from './observer.ts';
import { type Refusal, refuseConnection } from './refusal.ts';

/**
 * Creates the listener of 'clientError': what goes wrong below HTTP reaches neither Express nor multer. Where a request
 * is open, its own route answers; else the problem document is written by hand.
 */
export function createClientErrorHandler(
  { metrics, log }: Pick<HttpDependencies, 'metrics' | 'log'>,
  observer: Observer,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  // After a parse error Node goes on to report every further chunk.
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
      // Its route answers. What follows a whole request is not that request's fault; the connection closes behind it.
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
    return { error: new ServiceError('ERR_UPLOAD_TIMEOUT', "the request's header did not arrive in time") };
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, error: new ServiceError('ERR_REQUEST_INVALID', "the request's header is too large") };
  }
  return { error: new ServiceError('ERR_REQUEST_INVALID', 'this is not HTTP/1.1') };
}
