import { type ErrorCode, ServiceError } from '../errors.ts';
import { errorTable } from './error-table.ts';
import { unprintable } from './form/malformed-form.ts';

/** A problem document (RFC 9457). */
export interface Problem {
  /** `urn:image-check:error:upload-missing` for ERR_UPLOAD_MISSING, and so on. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly requestId: string;
}

/** The problem document of an error. */
export function toProblem(error: ServiceError, requestId: string): Problem {
  const { title, status } = errorTable[error.code];
  const type = `urn:image-check:error:${error.code.slice('ERR_'.length).toLowerCase().replaceAll('_', '-')}`;
  // Details quote names that the client sent; a log or a page may show them to others.
  const detail = error.detail.replace(unprintable, '\uFFFD');
  return { type, title, status, detail, code: error.code, requestId };
}

/** Anything that was thrown as an error of the table; what nobody foresaw is ERR_INTERNAL, with nothing of it shown. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  // Express marks what the client got wrong (a path that does not decode) by a status.
  if (thrown instanceof Error && 'status' in thrown && thrown.status === 400) {
    return new ServiceError('ERR_REQUEST_INVALID', 'the request does not parse', { cause: thrown });
  }
  return new ServiceError('ERR_INTERNAL', 'the service failed; its log has the reason under this request id', {
    cause: thrown,
  });
}
