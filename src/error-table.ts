import type { ErrorCode } from './errors.ts';

/** How HTTP answers show an error code. */
export interface ErrorRow {
  readonly status: number;
  readonly title: string;
  /** Default `Retry-After`; an error may carry its own. */
  readonly retryAfterSeconds?: number;
}

/** Status and title of every code. */
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = {
  ERR_UPLOAD_MISSING: { status: 400, title: 'No image in the request' },
  ERR_UPLOAD_MALFORMED: { status: 400, title: 'The upload is malformed' },
  ERR_UPLOAD_FIELD: { status: 400, title: 'The form does not fit' },
  ERR_REQUEST_INVALID: { status: 400, title: 'The request is invalid' },
  ERR_UPLOAD_TIMEOUT: { status: 408, title: 'The upload took too long' },
  ERR_UPLOAD_TOO_LARGE: { status: 413, title: 'The upload is too large' },
  ERR_CONTENT_TYPE: { status: 415, title: 'The content type is not supported' },
  ERR_IMAGE_UNSUPPORTED: { status: 415, title: 'The image format is not supported' },
  ERR_IMAGE_CORRUPT: { status: 422, title: 'The image does not decode' },
  ERR_IMAGE_TOO_MANY_PIXELS: { status: 422, title: 'The image has too many pixels' },
  ERR_IMAGE_TOO_COSTLY: { status: 422, title: 'The image would be too costly to decode' },
  ERR_IMAGE_QUARANTINED: { status: 422, title: 'The image is quarantined' },
  ERR_DECODE_TIMEOUT: { status: 503, title: 'Decoding the image took too long', retryAfterSeconds: 1 },
  ERR_MODEL_UNKNOWN: { status: 404, title: 'No such model' },
  ERR_MODEL_UNAVAILABLE: { status: 503, title: 'The model is not available', retryAfterSeconds: 1 },
  ERR_RULES_UNKNOWN: { status: 404, title: 'No such picture rules' },
  ERR_POLICY_UNKNOWN: { status: 404, title: 'No such policy' },
  ERR_WORKER_STUCK: { status: 503, title: 'The worker is stuck', retryAfterSeconds: 1 },
  ERR_OVERLOADED: { status: 429, title: 'The service is overloaded', retryAfterSeconds: 1 },
  ERR_DEADLINE: { status: 504, title: 'The deadline has passed' },
  ERR_NOT_FOUND: { status: 404, title: 'No such route' },
  ERR_METHOD_NOT_ALLOWED: { status: 405, title: 'The method is not allowed' },
  ERR_DRAINING: { status: 503, title: 'The service is shutting down' },
  ERR_INTERNAL: { status: 500, title: 'Internal error' },
};
