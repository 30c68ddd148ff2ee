import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const wellFormed = /^[A-Za-z0-9._~-]{1,128}$/;

/** The client's X-Request-Id if it is well-formed, else a new one. */
export function toRequestId(headers: IncomingHttpHeaders): string {
  const wanted = headers['x-request-id'];
  return typeof wanted === 'string' && wellFormed.test(wanted) ? wanted : randomUUID();
}
