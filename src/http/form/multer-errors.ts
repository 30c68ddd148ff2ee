import multer from 'multer';
import type { Config } from '../../config/schema.ts';
import { type ErrorCode, ServiceError } from '../../errors.ts';
import { toTooLarge } from '../upload/upload-plan.ts';

/** The multer codes that a normalised form can cause. */
const byCode: Readonly<Record<string, ErrorCode>> = {
  LIMIT_FILE_COUNT: 'ERR_UPLOAD_FIELD',
  LIMIT_FIELD_COUNT: 'ERR_UPLOAD_FIELD',
  LIMIT_FILE_SIZE: 'ERR_UPLOAD_TOO_LARGE',
  LIMIT_FIELD_VALUE: 'ERR_REQUEST_INVALID',
};

/** Maps multer's limit errors to errors of the table; anything else is returned unchanged. */
export function toMulterError(thrown: unknown, limits: Config['upload']): unknown {
  if (!(thrown instanceof multer.MulterError)) return thrown;
  const code = byCode[thrown.code];
  if (code === undefined) return thrown;
  if (code === 'ERR_UPLOAD_TOO_LARGE') return toTooLarge('an image has more bytes', limits.maxBytes);
  return new ServiceError(code, toDetail(thrown, limits), { cause: thrown });
}

function toDetail(error: multer.MulterError, limits: Config['upload']): string {
  if (error.code === 'LIMIT_FILE_COUNT') return `more than ${String(limits.maxFiles)} images`;
  return `${error.message}${error.field === undefined ? '' : `: ${JSON.stringify(error.field)}`}`;
}
