import type { DeadlineEnd } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import type { DecodeLimits, ImageFormat } from './types.ts';

/**
 * Turns what the library threw into the error for the client. Its message goes into `cause` only: it speaks of
 * internals, and libvips mixes up the messages of pictures that fail at the same time.
 */
export function toCorrupt(format: ImageFormat, cause?: unknown): ServiceError {
  const detail = `the ${format.toUpperCase()} image does not decode: it is truncated, damaged or of an unsupported kind`;
  return new ServiceError('ERR_IMAGE_CORRUPT', detail, { cause });
}

/** libvips buffers a hundred rows or so: one of 50 million pixels took 1.4 GB. libpng has the same limit. */
const maxSidePixels = 1_000_000;

/** @throws ERR_IMAGE_TOO_MANY_PIXELS */
export function assertPixels(width: number, height: number, limits: DecodeLimits): void {
  if (width * height <= limits.maxPixels && Math.max(width, height) <= maxSidePixels) return;
  const limit = `${String(limits.maxPixels)} in all and ${String(maxSidePixels)} on a side`;
  const detail = `the image has ${String(width)} × ${String(height)} pixels; at most ${limit} are accepted`;
  throw new ServiceError('ERR_IMAGE_TOO_MANY_PIXELS', detail);
}

/** Turns running out of time into the error for the client. */
export function toTooSlow(limitMs: number): ServiceError {
  return new ServiceError('ERR_DECODE_TIMEOUT', `the image was not decoded within ${String(limitMs)} ms`);
}

/** Returns the error for a caller that stopped waiting. */
export function toGivenUp(end: DeadlineEnd): ServiceError {
  const detail = end === 'gone' ? 'the client is gone' : 'the image was admitted, but not decoded by the deadline';
  return new ServiceError('ERR_DEADLINE', detail);
}
