import { errorTable } from './error-table.ts';
import type { ErrorCode, ServiceError } from './errors.ts';
import { unprintable } from './public-text.ts';

/** Media type of a problem document. */
export const problemContentType = 'application/problem+json';

/** A problem document (RFC 9457) of the operations port, whose answers carry no request id. */
export interface OpsProblem {
  /** `urn:image-check:error:upload-missing` for ERR_UPLOAD_MISSING, and so on. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
}

/** A problem document (RFC 9457). */
export interface Problem extends OpsProblem {
  readonly requestId: string;
}

/** The problem document of an error, without a request id. */
export function toOpsProblem(error: ServiceError): OpsProblem {
  const { title, status } = errorTable[error.code];
  const type = `urn:image-check:error:${error.code.slice('ERR_'.length).toLowerCase().replaceAll('_', '-')}`;
  // Details quote names that the client sent; a log or a page may show them to others.
  const detail = error.detail.replace(unprintable, '\uFFFD');
  return { type, title, status, detail, code: error.code };
}

/** The problem document of an error. */
export function toProblem(error: ServiceError, requestId: string): Problem {
  return { ...toOpsProblem(error), requestId };
}
