import multer from 'multer';
import type { Config } from '../../config/schema.ts';
import { type ErrorCode, ServiceError, toMessage } from '../../errors.ts';
import { toTooLarge } from './upload-plan.ts';

/** multer's codes; its published types lack the later ones. */
const byCode: Readonly<Record<string, ErrorCode>> = {
  LIMIT_PART_COUNT: 'ERR_UPLOAD_FIELD',
  LIMIT_FILE_COUNT: 'ERR_UPLOAD_FIELD',
  LIMIT_FIELD_COUNT: 'ERR_UPLOAD_FIELD',
  LIMIT_UNEXPECTED_FILE: 'ERR_UPLOAD_FIELD',
  LIMIT_FILE_SIZE: 'ERR_UPLOAD_TOO_LARGE',
  LIMIT_FIELD_KEY: 'ERR_REQUEST_INVALID',
  LIMIT_FIELD_VALUE: 'ERR_REQUEST_INVALID',
  LIMIT_FIELD_NESTING: 'ERR_REQUEST_INVALID',
  LIMIT_FIELD_ARRAY_INDEX: 'ERR_REQUEST_INVALID',
  INVALID_FIELD_NAME: 'ERR_REQUEST_INVALID',
  MISSING_FIELD_NAME: 'ERR_UPLOAD_MALFORMED',
  STREAM_DESTROYED: 'ERR_UPLOAD_MALFORMED',
};

/** busboy has no codes: what it throws at a broken body is known by its words alone. */
const brokenForm = new Set([
  'Malformed content type',
  'Malformed part header',
  'Multipart: Boundary not found',
  'Unexpected end of file',
  'Unexpected end of form',
]);

/** What multer and busboy throw, as an error of the table; what the client is not to blame for stays as it is. */
export function toMultipartError(thrown: unknown, limits: Config['upload']): unknown {
  if (thrown instanceof multer.MulterError) {
    const code = byCode[thrown.code];
    if (code === undefined) return thrown;
    if (code === 'ERR_UPLOAD_TOO_LARGE') return toTooLarge('an image has more bytes', limits.maxBytes);
    return new ServiceError(code, toDetail(thrown, limits), { cause: thrown });
  }
  if (brokenForm.has(toMessage(thrown))) {
    return new ServiceError('ERR_UPLOAD_MALFORMED', `the form does not parse: ${toMessage(thrown)}`, { cause: thrown });
  }
  return thrown;
}

function toDetail(error: multer.MulterError, limits: Config['upload']): string {
  if (error.code === 'LIMIT_UNEXPECTED_FILE') return 'a file goes into the field "image" and no other';
  if (error.code === 'LIMIT_FILE_COUNT') return `more than ${String(limits.maxFiles)} images`;
  if (error.code === 'LIMIT_FIELD_VALUE' && error.field === 'image') return 'the field "image" has no file name';
  return `${error.message}${error.field === undefined ? '' : `: ${JSON.stringify(error.field)}`}`;
}
