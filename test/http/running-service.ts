import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { CheckRequest, CheckResult, CheckService, ImageResult, UploadedImage } from '../../src/check/types.ts';
import { configSchema } from '../../src/config/schema.ts';
import { createAccessLog } from '../../src/http/access-log.ts';
import type { HttpDependencies } from '../../src/http/dependencies.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createByteBudget } from '../../src/http/upload/byte-budget.ts';
import { openLogStream } from '../../src/log-stream.ts';
import { createWorkerMetrics } from '../../src/metrics/catalogue.ts';
import { openRawClient, type RawReply } from '../fixtures/raw-client.ts';

export interface ServiceOptions {
  readonly config?: object;
  readonly check?: CheckService['check'];
  readonly assertRoom?: CheckService['assertRoom'];
  readonly askPrimary?: HttpDependencies['askPrimary'];
}

export type RunningService = Awaited<ReturnType<typeof startHttpServer>>;

/** Starts the HTTP room as a worker does: sockets are accepted elsewhere and handed to a server that does not listen. */
export async function startHttpServer({ config = {}, check, assertRoom, askPrimary }: ServiceOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'image-check-http-'));
  const accessFile = join(folder, 'access.log');
  const accessDescriptor = openSync(accessFile, 'a');
  const registry = new Registry();
  const events: string[] = [];
  const requests: CheckRequest[] = [];
  const parsedConfig = configSchema.parse(config);
  const log = pino({ level: 'debug' }, { write: (line: string) => events.push(line) });
  const identity = { slot: 3, pid: 4242 };
  const state: { draining?: 'shutdown' | 'replaced'; toShed: number } = { toShed: 0 };
  const accessLog = createAccessLog(parsedConfig.log, identity, openLogStream(accessDescriptor));
  const server = createHttpServer({
    config: parsedConfig,
    checkService: {
      checked: () => requests.length,
      assertRoom: assertRoom ?? (() => undefined),
      check(request) {
        requests.push(request);
        return (check ?? acceptAll)(request);
      },
    },
    byteBudget: createByteBudget(parsedConfig.upload.maxBufferedBytes),
    askPrimary: askPrimary ?? (() => Promise.reject(new Error('no primary'))),
    metrics: createWorkerMetrics(registry),
    log,
    accessLog,
    identity,
    draining: () => state.draining,
    shedConnection: () => state.toShed > 0 && state.toShed-- > 0,
  });
  const sockets = new Set<Socket>();
  const acceptor = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    server.emit('connection', socket);
  });
  await new Promise<void>((resolve) => acceptor.listen(0, '127.0.0.1', resolve));
  const { port } = acceptor.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${String(port)}`,
    server,
    registry,
    /** What the check service was asked, in order. */
    requests,
    /** Lines of the event log. */
    events,
    state,
    openSockets: () => sockets.size,
    accessLines: async (): Promise<string[]> => {
      await accessLog.flush();
      return readFileSync(accessFile, 'utf8').split('\n').slice(0, -1);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => acceptor.close(resolve));
      server.close();
      await accessLog.flush();
      closeSync(accessDescriptor);
      rmSync(folder, { recursive: true });
    },
  };
}

/** The result of one image, as the product would give it. */
export function toChecked(
  image: UploadedImage,
  changes: Partial<Extract<ImageResult, { kind: 'checked' }>> = {},
): ImageResult {
  return {
    kind: 'checked',
    name: image.name,
    verdict: 'accept',
    image: { format: 'jpeg', width: 4, height: 3, bytes: image.bytes.length },
    checks: [
      {
        model: 'quality',
        version: '1',
        engine: 'wasm',
        verdict: 'accept',
        labels: [{ label: 'dark', score: 0.123456, thresholds: { review: 0.5, reject: 0.8 }, verdict: 'accept' }],
      },
    ],
    timingsMs: { decode: 3.14159, queue: 0.25, inference: 9.449 },
    ...changes,
  };
}

function acceptAll({ images }: CheckRequest): Promise<CheckResult> {
  return Promise.resolve({ verdict: 'accept', images: images.map((image) => toChecked(image)) });
}

/** Sends bytes as they are and gives what came back until the service closed the connection. */
export function sendRaw(port: number, bytes: string | Buffer): Promise<RawReply> {
  const { socket, reply } = openRawClient(port);
  socket.write(bytes);
  return reply();
}

/** One part of a multipart body, as bytes. */
export function toPart(disposition: string, content: string | Buffer = 'pixels', contentType?: string): Buffer {
  const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`;
  const header = `--limit\r\nContent-Disposition: form-data; ${disposition}\r\n${type}\r\n`;
  return Buffer.concat([Buffer.from(header), Buffer.from(content), Buffer.from('\r\n')]);
}

export const multipartType = 'multipart/form-data; boundary=limit';

/** A whole multipart body of the given parts; its boundary is `limit`. */
export function toMultipart(...parts: Buffer[]): Buffer {
  return Buffer.concat([...parts, Buffer.from('--limit--\r\n')]);
}

/** Posts a multipart body by fetch. */
export function postParts(url: string, ...parts: Buffer[]): Promise<Response> {
  const body = new Uint8Array(toMultipart(...parts));
  return fetch(`${url}/v1/check`, { method: 'POST', headers: { 'Content-Type': multipartType }, body });
}

/** The text of a request with its body. */
export function toRawPost(headers: string[], body: string | Buffer = '', path = '/v1/check'): Buffer {
  const head = [`POST ${path} HTTP/1.1`, 'Host: localhost', ...headers, '\r\n'].join('\r\n');
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}
