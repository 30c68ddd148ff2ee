import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createPipelines, type OpenRequest, type Pipeline } from '../../connection/pipeline.ts';
import { readInSlices } from '../../connection/sliced-reads.ts';
import { ServiceError } from '../../errors.ts';
import { type OpsAnswer, opsPath } from '../../ipc/messages.ts';
import type { Logger } from '../../log.ts';
import { type OpsAnswerer, toProblemAnswer } from './ops-answers.ts';

/** Enough for scrapers and probes; more would be an attack on the primary. */
const maxConnections = 256;
/** Time in which a client must read some of its answer; what it sends meanwhile is not read and does not count. */
const writeTimeoutMs = 10_000;
const allowedMethods = ['GET', 'HEAD'];

/** Creates the server of health and metrics, in the primary so that it answers whatever state the workers are in. */
export function createOpsServer(answer: OpsAnswerer, log: Logger): Server {
  const options = {
    headersTimeout: 5000,
    requestTimeout: 10_000,
    keepAliveTimeout: 75_000,
    connectionsCheckingInterval: 1000,
  };
  const toPipeline = createPipelines<OpenRequest>();
  const server = createServer(options, (request, response) => {
    const pipeline = toPipeline(request.socket);
    pipeline.enter(request, () => {
      serve(pipeline, request, response, answer);
    });
  });
  server.on('connection', (socket) => {
    readInSlices(socket, toPipeline(socket));
  });
  server.maxConnections = maxConnections;
  server.timeout = writeTimeoutMs;
  server.on('error', (error) => {
    // Before it listens, an error is the caller's.
    if (server.listening) log.warn({ err: error }, 'a connection to the ops port could not be accepted');
  });
  return server;
}

function serve(
  pipeline: Pipeline<OpenRequest>,
  request: IncomingMessage,
  response: ServerResponse,
  answer: OpsAnswerer,
): void {
  const exchange = { cutOff: new AbortController() };
  const close = (): void => {
    pipeline.remove(exchange);
  };
  pipeline.add(exchange, close);
  response.once('close', close);
  void answerRequest(request, answer).then((written) => {
    if (pipeline.isLast(exchange)) response.shouldKeepAlive = false;
    writeAnswer(request, response, written);
  });
}

async function answerRequest(request: IncomingMessage, answer: OpsAnswerer): Promise<OpsAnswer> {
  const [asked = ''] = (request.url ?? '').split('?');
  const path = opsPath.safeParse(asked).data;
  if (path === undefined) return toProblemAnswer(new ServiceError('ERR_NOT_FOUND', 'the service has no such path'));
  if (!allowedMethods.includes(request.method ?? '')) {
    const detail = `${path} supports ${allowedMethods.join(', ')}`;
    return toProblemAnswer(new ServiceError('ERR_METHOD_NOT_ALLOWED', detail));
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
