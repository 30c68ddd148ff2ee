/** Every error code of the service. Status and title of each: `error-table.ts`. */
export const errorCodes = [
  'ERR_UPLOAD_MISSING',
  'ERR_UPLOAD_MALFORMED',
  'ERR_UPLOAD_FIELD',
  'ERR_REQUEST_INVALID',
  'ERR_UPLOAD_TIMEOUT',
  'ERR_UPLOAD_TOO_LARGE',
  'ERR_CONTENT_TYPE',
  'ERR_IMAGE_UNSUPPORTED',
  'ERR_IMAGE_CORRUPT',
  'ERR_IMAGE_TOO_MANY_PIXELS',
  'ERR_IMAGE_TOO_COSTLY',
  'ERR_IMAGE_QUARANTINED',
  'ERR_DECODE_TIMEOUT',
  'ERR_MODEL_UNKNOWN',
  'ERR_MODEL_UNAVAILABLE',
  'ERR_RULES_UNKNOWN',
  'ERR_POLICY_UNKNOWN',
  'ERR_WORKER_STUCK',
  'ERR_OVERLOADED',
  'ERR_DEADLINE',
  'ERR_NOT_FOUND',
  'ERR_METHOD_NOT_ALLOWED',
  'ERR_DRAINING',
  'ERR_INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ServiceErrorOptions {
  /** Seconds after which to retry; becomes `Retry-After`. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** An expected failure with a code of the error table; `detail` is shown to the client. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, detail: string, options: ServiceErrorOptions = {}) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Exit codes of the primary and the command line (sysexits.h where it has one). */
export const exitCodes = {
  drained: 0,
  bug: 1,
  allSlotsDown: 69,
  cacheNotWritable: 73,
  portInUse: 75,
  configuration: 78,
} as const;

/** Ends the process with one clear line and `exitCode` instead of a stack trace. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The message of anything thrown. */
export function toMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
