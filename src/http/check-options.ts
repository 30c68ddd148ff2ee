import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';
import { type FieldValues, refuseMistaken, textFields, toFieldValues } from './form/field-names.ts';
import { quote } from './form/malformed-form.ts';

/** What the head of a request asks for. */
export interface CheckOptions {
  /** Values of the query. */
  readonly query: FieldValues;
  /** Time for the verdict, from the last byte received. */
  readonly timeoutMs: number;
}

/** What a client asks for beside its images. */
export interface Asked {
  /** `name` or `name@version`, each once. */
  readonly models: readonly string[];
  /** Profiles of picture rules, each once. */
  readonly rules: readonly string[];
  readonly policy: string | undefined;
  /** Whether to tell where flagged labels show. */
  readonly explain: boolean;
}

/** @throws {@link ServiceError} ERR_REQUEST_INVALID for a value that doesn't fit, or a name close to one that is known. */
export function toCheckOptions({ url = '/', headers }: IncomingMessage, deadlineMs: number): CheckOptions {
  const parameters = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  for (const name of parameters.keys()) refuseMistaken(name, textFields);
  const query = toFieldValues((field) => parameters.getAll(field));
  // What doesn't fit is refused before the body is read.
  toAsked(query);
  return { query, timeoutMs: toTimeoutMs(headers['x-request-timeout-ms'], deadlineMs) };
}

/**
 * What the query and the form ask for together.
 * @throws {@link ServiceError} ERR_REQUEST_INVALID for a value that doesn't fit
 */
export function toAsked(...sources: readonly FieldValues[]): Asked {
  const valuesOf = (field: keyof FieldValues): string[] => sources.flatMap((values) => values[field]);
  return {
    models: toNames(valuesOf('model')),
    rules: toNames(valuesOf('rules')),
    policy: toPolicy(valuesOf('policy')),
    explain: toExplain(valuesOf('explain')),
  };
}

/** Names from comma-separated values, each once. */
function toNames(values: readonly string[]): string[] {
  const names = values.flatMap((value) => value.split(',')).map((name) => name.trim());
  return [...new Set(names)].filter((name) => name !== '');
}

function toPolicy(values: readonly string[]): string | undefined {
  const [policy, other] = new Set(values.map((value) => value.trim()).filter((value) => value !== ''));
  if (policy === undefined || other === undefined) return policy;
  throw new ServiceError('ERR_REQUEST_INVALID', `policy is both ${quote(policy)} and ${quote(other)}`);
}

/** Whether one of the values is 1. */
function toExplain(values: readonly string[]): boolean {
  if (values.every((value) => value === '0' || value === '1')) return values.includes('1');
  throw new ServiceError('ERR_REQUEST_INVALID', 'explain is neither 0 nor 1');
}

function toTimeoutMs(header: string | string[] | undefined, deadlineMs: number): number {
  if (header === undefined) return deadlineMs;
  // Fifteen digits stay exact as a number.
  if (typeof header === 'string' && /^0*[1-9]\d{0,14}$/.test(header)) return Math.min(Number(header), deadlineMs);
  throw new ServiceError('ERR_REQUEST_INVALID', 'X-Request-Timeout-Ms is not a positive whole number of milliseconds');
}
