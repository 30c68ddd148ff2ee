import type { Express, Response } from 'express';
import { ServiceError } from '../errors.ts';
import { type Answer, sendAnswer } from './answer.ts';
import type { Exchange } from './exchange.ts';

/** A response of this room's Express app. */
export type ExchangeResponse = Response<unknown, { exchange: Exchange }>;

/** Answers one request, or throws an error of the table. */
export type RouteHandler = (exchange: Exchange) => Promise<Answer>;

/** Adds a route; GET includes HEAD; OPTIONS and unsupported methods are answered with Allow. */
export function addRoute(app: Express, path: string, method: 'GET' | 'POST', handle: RouteHandler): void {
  const methods: readonly string[] = method === 'GET' ? ['GET', 'HEAD'] : [method];
  const allow = [...methods, 'OPTIONS'].join(', ');
  app.route(path).all(async (request, response: ExchangeResponse) => {
    const { exchange } = response.locals;
    exchange.route = path;
    if (methods.includes(request.method)) {
      await sendAnswer(exchange, await handle(exchange));
      return;
    }
    response.setHeader('Allow', allow);
    if (request.method !== 'OPTIONS') throw new ServiceError('ERR_METHOD_NOT_ALLOWED', `${path} supports ${allow}`);
    await sendAnswer(exchange, { status: 204, body: '' });
  });
}
