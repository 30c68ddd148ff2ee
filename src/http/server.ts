import { createServer, type Server } from 'node:http';
import { createApp } from './app.ts';
import { createClientErrorHandler } from './client-error.ts';
import type { HttpDependencies } from './dependencies.ts';
import { createObserver } from './observer.ts';

/** Room for an answer and the discarding of a body, beyond the time that header and upload may take. */
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
    // The last bound, for bodies that no route reads.
    requestTimeout: limits.headersTimeoutMs + upload.timeoutMs + requestSlackMs,
    // Node looks every 30 s by default.
    connectionsCheckingInterval: Math.min(1000, Math.ceil(limits.headersTimeoutMs / 4)),
    // Node's own answer has no body; the app refuses a missing Host with a problem document.
    requireHostHeader: false,
  };
  const server = createServer(options, (request, response) => {
    app(request, response);
  });
  // With these listeners Node leaves it to the upload reader when, and whether, a client is told to go on.
  server.on('checkContinue', app);
  server.on('checkExpectation', app);
  server.on('clientError', createClientErrorHandler(dependencies, createObserver(dependencies)));
  server.prependListener('connection', (socket) => {
    // A socket that was accepted elsewhere has neither: without the first, nothing can be written to a client that
    // closed its side in the middle of an upload.
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
  });
  // Node starts the clock of headersTimeout and requestTimeout at 'listening', which never comes here.
  server.emit('listening');
  return server;
}
