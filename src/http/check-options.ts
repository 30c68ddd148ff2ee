import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';
import { type FieldValues, refuseMistaken, textFields, toFieldValues } from './form/field-names.ts';
import { quote } from './form/malformed-form.ts';

/** Options from the URL and the headers of a request. */
export interface CheckOptions {
  /** Values of the query. */
  readonly query: FieldValues;
  /** Time limit of the verdict, from the last byte received. */
  readonly timeoutMs: number;
}

/** Options of a request beside its images. */
export interface Asked {
  /** `name` or `name@version`, each once. */
  readonly models: readonly string[];
  /** Profiles of picture rules, each once. */
  readonly rules: readonly string[];
  readonly policy: string | undefined;
  /** Whether to include maps of flagged labels. */
  readonly explain: boolean;
}

/** @throws {@link ServiceError} ERR_REQUEST_INVALID for an invalid value or a misspelt name */
export function toCheckOptions({ url = '/', headers }: IncomingMessage, deadlineMs: number): CheckOptions {
  const parameters = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  for (const name of parameters.keys()) refuseMistaken(name, textFields);
  const query = toFieldValues((field) => parameters.getAll(field));
  // Invalid values are refused before the body is read.
  toAsked(query);
  return { query, timeoutMs: toTimeoutMs(headers['x-request-timeout-ms'], deadlineMs) };
}

/**
 * Merges the options of the query and the form.
 * @throws {@link ServiceError} ERR_REQUEST_INVALID for an invalid value
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
  throw new ServiceError('ERR_REQUEST_INVALID', 'explain must be 0 or 1');
}

function toTimeoutMs(header: string | string[] | undefined, deadlineMs: number): number {
  if (header === undefined) return deadlineMs;
  // Up to fifteen digits are exact as a number.
  if (typeof header === 'string' && /^0*[1-9]\d{0,14}$/.test(header)) return Math.min(Number(header), deadlineMs);
  throw new ServiceError('ERR_REQUEST_INVALID', 'X-Request-Timeout-Ms must be a positive integer');
}
