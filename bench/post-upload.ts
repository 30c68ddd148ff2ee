import { type Agent, request } from 'node:http';
import type { Upload } from './upload.ts';

/** What came back, read to its end. */
export interface UploadAnswer {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly text: string;
}

export interface PostOptions {
  /** A connection of its own where there is none. */
  readonly agent?: Agent;
  readonly timeoutMs?: number;
}

/** Posts one body. @throws where the connection fails or the time is over */
export function postUpload(
  url: string,
  { contentType, body }: Upload,
  options: PostOptions = {},
): Promise<UploadAnswer> {
  const { agent, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': contentType, 'Content-Length': String(body.length) };
    const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const settings = { method: 'POST', agent: agent ?? false, headers, ...(signal && { signal }) } as const;
    const sent = request(url, settings, (response) => {
      const chunks: Buffer[] = [];
      const { 'retry-after': retryAfter } = response.headers;
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
          text: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
