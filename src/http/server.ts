import { createServer, type RequestListener, type Server } from 'node:http';
import { readInSlices } from '../connection/sliced-reads.ts';
import { createApp } from './app.ts';
import { createClientErrorHandler } from './client-error.ts';
import { createConnectHandler } from './connect.ts';
import type { HttpDependencies } from './dependencies.ts';
import { toPipeline } from './exchange.ts';
import { watchHalfClose } from './half-close.ts';
import { createObserver } from './observer.ts';

/** Slack for answering and discarding a body, beyond the time limits of headers and upload. */
const requestSlackMs = 10_000;

/**
 * Creates the HTTP server of a worker. It does not listen: connections come from the primary, by
 * `server.emit('connection', socket)`.
 */
export function createHttpServer(dependencies: HttpDependencies): Server {
  const { server: limits, upload } = dependencies.config;
  const app = createApp(dependencies);
  const options = {
    headersTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // Last resort, for bodies that no route reads.
    requestTimeout: limits.headersTimeoutMs + upload.timeoutMs + requestSlackMs,
    // Node looks every 30 s by default.
    connectionsCheckingInterval: Math.min(1000, Math.ceil(limits.headersTimeoutMs / 4)),
    // Node's own answer has no body; the app refuses a missing Host with a problem document.
    requireHostHeader: false,
  };
  const observer = createObserver(dependencies);
  const serve: RequestListener = (request, response) => {
    toPipeline(request.socket).enter(request, () => {
      app(request, response);
    });
  };
  const server = createServer(options, serve);
  // With these listeners the upload reader decides whether and when to send 100 Continue.
  server.on('checkContinue', serve);
  server.on('checkExpectation', serve);
  server.on('connect', createConnectHandler(dependencies, observer));
  server.on('clientError', createClientErrorHandler(dependencies, observer));
  server.prependListener('connection', (socket) => {
    // A socket accepted in another process has neither option. Without the first, nothing can be written to a client
    // that closes its side in the middle of an upload.
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    watchHalfClose(socket);
  });
  server.on('connection', (socket) => {
    readInSlices(socket, toPipeline(socket));
  });
  // A client may close its sending side after a whole request and read its answer; not in Node's types.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Node arms headersTimeout and requestTimeout at 'listening', which is never emitted here.
  server.emit('listening');
  return server;
}
