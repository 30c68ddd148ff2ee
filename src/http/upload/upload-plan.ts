import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../../config/schema.ts';
import { ServiceError } from '../../errors.ts';

/** How to read a body, decided from the request's headers. */
export interface UploadPlan {
  readonly kind: 'multipart' | 'raw';
  /** False when the Content-Type names another image format. */
  readonly mayBeJpeg: boolean;
  readonly maxBodyBytes: number;
  /** Upper bound of its size: Content-Length, else `maxBodyBytes`. */
  readonly permitBytes: number;
}

const otherFormats = new Set(['png', 'webp', 'gif', 'avif', 'tiff', 'heic'].map((format) => `image/${format}`));

/** @throws {@link ServiceError} for a body that is refused by its headers alone */
export function toUploadPlan(headers: IncomingHttpHeaders, limits: Config['upload']): UploadPlan {
  const { 'content-length': length, 'content-type': contentType, 'transfer-encoding': transferCoding } = headers;
  const isEmpty = transferCoding === undefined && Number(length ?? 0) === 0;
  if (isEmpty && contentType === undefined) throw toMissing();
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  const kind = toKind(type);
  refuseCodings(headers);
  if (isEmpty) throw toMissing();
  const maxBodyBytes = Math.min(kind === 'raw' ? limits.maxBytes : limits.maxRequestBytes, limits.maxBufferedBytes);
  const permitBytes = length === undefined ? maxBodyBytes : Number(length);
  if (permitBytes > maxBodyBytes) throw toTooLarge(`the body has ${String(permitBytes)} bytes`, maxBodyBytes);
  return { kind, mayBeJpeg: !otherFormats.has(type ?? ''), maxBodyBytes, permitBytes };
}

/** The error for exceeding a limit in bytes. */
export function toTooLarge(what: string, maxBytes: number): ServiceError {
  return new ServiceError('ERR_UPLOAD_TOO_LARGE', `${what}; the limit is ${String(maxBytes)}`);
}

function toMissing(): ServiceError {
  return new ServiceError('ERR_UPLOAD_MISSING', 'the request has no body');
}

function toKind(type: string | undefined): UploadPlan['kind'] {
  if (type === 'multipart/form-data') return 'multipart';
  if (type === 'application/octet-stream' || type?.startsWith('image/') === true) return 'raw';
  throw new ServiceError(
    'ERR_CONTENT_TYPE',
    'send multipart/form-data with the file field "image", or the bytes of one image as image/* or application/octet-stream',
  );
}

function refuseCodings(headers: IncomingHttpHeaders): void {
  const content = headers['content-encoding']?.trim().toLowerCase() ?? '';
  const transfer = headers['transfer-encoding']?.trim().toLowerCase() ?? 'chunked';
  if ((content === '' || content === 'identity') && transfer === 'chunked') return;
  throw new ServiceError('ERR_CONTENT_TYPE', 'Content-Encoding is not supported: images are compressed already');
}
