import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';
import { refuseMistaken, textFields } from './form/field-names.ts';

/** What a client asks for beside its images. */
export interface CheckOptions {
  /** `name` or `name@version`, as the query names them. */
  readonly models: readonly string[];
  /** Whether to tell where flagged labels show. */
  readonly explain: boolean;
  /** Time for the verdict, from the last byte received. */
  readonly timeoutMs: number;
}

/** @throws {@link ServiceError} ERR_REQUEST_INVALID for a value that doesn't fit, or a name close to one that is known. */
export function toCheckOptions({ url = '/', headers }: IncomingMessage, deadlineMs: number): CheckOptions {
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  for (const name of query.keys()) refuseMistaken(name, textFields);
  const timeoutMs = toTimeoutMs(headers['x-request-timeout-ms'], deadlineMs);
  return { models: query.getAll('model'), explain: toExplain(query.getAll('explain')), timeoutMs };
}

/**
 * Whether one of the values of `explain` is 1.
 * @throws {@link ServiceError} ERR_REQUEST_INVALID for one that is neither 0 nor 1.
 */
export function toExplain(values: readonly string[]): boolean {
  if (values.every((value) => value === '0' || value === '1')) return values.includes('1');
  throw new ServiceError('ERR_REQUEST_INVALID', 'explain is neither 0 nor 1');
}

/** Names of models from comma-separated values, each once. */
export function toModelNames(values: readonly string[]): string[] {
  const names = values.flatMap((value) => value.split(',')).map((name) => name.trim());
  return [...new Set(names)].filter((name) => name !== '');
}

function toTimeoutMs(header: string | string[] | undefined, deadlineMs: number): number {
  if (header === undefined) return deadlineMs;
  // Fifteen digits stay exact as a number.
  if (typeof header === 'string' && /^0*[1-9]\d{0,14}$/.test(header)) return Math.min(Number(header), deadlineMs);
  throw new ServiceError('ERR_REQUEST_INVALID', 'X-Request-Timeout-Ms is not a positive whole number of milliseconds');
}
