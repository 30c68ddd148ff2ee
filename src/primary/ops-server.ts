import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type OpsAnswer, opsPath } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import { type OpsAnswerer, toOpsProblem } from './ops-answers.ts';

/** A scraper and a few probes; more would be somebody who keeps the primary from its work. */
const maxConnections = 256;
const allowedMethods = ['GET', 'HEAD'];

/** Creates the server of health and metrics: node's own, as it must answer whatever becomes of the workers. */
export function createOpsServer(answer: OpsAnswerer, log: Logger): Server {
  const options = {
    headersTimeout: 5000,
    requestTimeout: 10_000,
    keepAliveTimeout: 75_000,
    connectionsCheckingInterval: 1000,
  };
  const server = createServer(options, (request, response) => {
    void answerRequest(request, answer).then((written) => {
      writeAnswer(request, response, written);
    });
  });
  server.maxConnections = maxConnections;
  server.on('error', (error) => {
    // Before it listens, an error is the caller's.
    if (server.listening) log.warn({ err: error }, 'a connection to the ops port could not be accepted');
  });
  return server;
}

async function answerRequest(request: IncomingMessage, answer: OpsAnswerer): Promise<OpsAnswer> {
  const [asked = ''] = (request.url ?? '').split('?');
  const path = opsPath.safeParse(asked).data;
  if (path === undefined) return toOpsProblem(404, 'Not Found', 'ERR_NOT_FOUND', 'No such route.');
  if (!allowedMethods.includes(request.method ?? '')) {
    return toOpsProblem(405, 'Method Not Allowed', 'ERR_METHOD_NOT_ALLOWED', `Only ${allowedMethods.join(' and ')}.`);
  }
  return answer(path);
}

function writeAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, contentType, body }: OpsAnswer,
): void {
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(status === 405 ? { Allow: allowedMethods.join(', ') } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
