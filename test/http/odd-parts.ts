import assert from 'node:assert/strict';
import { postParts, type RunningService, startHttpServer } from './running-service.ts';

/** An answer or a problem document, as far as tests of forms look at it. */
export interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly images?: readonly { readonly name: string }[];
}

/** The header line of an image part, to which parameters may be appended. */
export const image = 'Content-Disposition: form-data; name="image"';

/** No text: it holds a control character, as every image does. */
const pixels = Buffer.from('pixels\0');

/** A part of header lines that are sent as they are. */
export function toOddPart(header: string | Buffer, content: Buffer = pixels): Buffer {
  const pieces = ['--limit\r\n', header, '\r\n\r\n', content, '\r\n'];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
}

/** Starts the HTTP room with room for large fields. */
export function startFormService(): Promise<RunningService> {
  return startHttpServer({ config: { upload: { maxRequestBytes: 20_000_000 } } });
}

/** Posts a form of the given parts. */
export async function post(
  service: RunningService,
  ...parts: Buffer[]
): Promise<{ status: number; body: ProblemBody }> {
  const reply = await postParts(service.url, ...parts);
  return { status: reply.status, body: (await reply.json()) as ProblemBody };
}

/** Asserts that a whole form is refused by 400, and nothing of it was checked. */
export async function assertRefused(
  service: RunningService,
  parts: Buffer[],
  code: string,
  detail: RegExp,
): Promise<void> {
  const { status, body } = await post(service, ...parts);
  assert.deepEqual([status, body.code], [400, code], JSON.stringify(body));
  assert.match(body.detail ?? '', detail);
  assert.equal(service.requests.length, 0);
}
