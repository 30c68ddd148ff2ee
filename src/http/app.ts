import express, { type Express, type NextFunction, type Request } from 'express';
import helmet from 'helmet';
import { createProxyTrust } from '../config/trusted-proxies.ts';
import { ServiceError } from '../errors.ts';
import { sendAnswer, toErrorAnswer } from './answer.ts';
import { createCheckHandler } from './check-route.ts';
import { toClientAddress } from './client-address.ts';
import type { HttpDependencies } from './dependencies.ts';
import { openExchange, toPipeline } from './exchange.ts';
import { createObserver } from './observer.ts';
import { addOpsRoutes } from './ops-routes.ts';
import { addRoute, type ExchangeResponse } from './route.ts';
import { toServiceError } from './service-error.ts';

/** Creates the Express app that answers every request. */
export function createApp(dependencies: HttpDependencies): Express {
  const { config } = dependencies;
  const app = express().disable('x-powered-by').disable('etag').set('query parser', false);
  const { trustProxy } = config.server;
  if (trustProxy.length > 0) app.set('trust proxy', createProxyTrust(trustProxy));
  app.use(createOpener(dependencies));
  // upgrade-insecure-requests breaks pages on any address but localhost while there is no TLS.
  app.use(helmet({ contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } } }));
  app.use(refuseInvalidHead);
  addRoute(app, '/v1/check', 'POST', createCheckHandler(dependencies));
  if (config.ops.onPublicPort) addOpsRoutes(app, dependencies);
  app.use(() => {
    throw new ServiceError('ERR_NOT_FOUND', 'the service has no such path');
  });
  app.use(createErrorHandler(dependencies));
  return app;
}

function createOpener(dependencies: HttpDependencies) {
  const observer = createObserver(dependencies);
  const { config, draining, shedConnection } = dependencies;
  const { trustProxy, writeTimeoutMs } = config.server;
  return (request: Request, response: ExchangeResponse, next: NextFunction) => {
    observer.countOpened();
    const isClosing = () => {
      const pipeline = toPipeline(request.socket);
      if (draining() !== undefined || config.server.keepAliveTimeoutMs === 0 || pipeline.isLast(exchange)) return true;
      // A pipelined request behind this one would be lost with the connection.
      return response.shouldKeepAlive && pipeline.latest === exchange && shedConnection();
    };
    const clientAddress = trustProxy.length > 0 ? toClientAddress(request) : request.socket.remoteAddress;
    const exchange = openExchange(request, response, {
      clientAddress,
      writeTimeoutMs,
      isClosing,
      onClosed: observer.recordClosed,
    });
    response.locals.exchange = exchange;
    response.setHeader('X-Request-Id', exchange.requestId);
    response.setHeader('Cache-Control', 'no-store');
    next();
  };
}

function refuseInvalidHead(
  { headers, httpVersion, rawHeaders, url }: Request,
  _response: ExchangeResponse,
  next: NextFunction,
): void {
  if (httpVersion === '1.1' && headers.host === undefined) {
    throw new ServiceError('ERR_REQUEST_INVALID', 'the Host header is missing');
  }
  if (countHosts(rawHeaders) > 1) {
    throw new ServiceError('ERR_REQUEST_INVALID', 'the Host header appears more than once');
  }
  try {
    decodeURIComponent(url);
  } catch (error) {
    throw new ServiceError('ERR_REQUEST_INVALID', 'the URL is not valid UTF-8', { cause: error });
  }
  next();
}

/** Node silently keeps the first of two, and a proxy in front may route by the second. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === 'host'.length && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

function createErrorHandler({ log, metrics }: HttpDependencies) {
  // Express recognises an error handler by its four parameters.
  return (thrown: unknown, _request: Request, response: ExchangeResponse, next: NextFunction) => {
    const { exchange } = response.locals;
    // The client has disconnected: what fails because of that is not an error.
    if (exchange.isClosed) return;
    const error = toServiceError(thrown);
    if (error.code === 'ERR_INTERNAL') log.error({ err: thrown, requestId: exchange.requestId }, 'a request failed');
    metrics.errors.inc({ error: error.code });
    sendAnswer(exchange, toErrorAnswer(error, exchange.requestId)).catch(next);
  };
}
