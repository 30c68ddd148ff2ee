import { ServiceError } from '../../errors.ts';
import type { Size } from '../types.ts';

/** Bytes `start` to `end` of the file, `end` not included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What the header of every format says. Sizes are those of the first frame or page, as stored, before EXIF orientation. */
export interface CommonFacts extends Size {
  /** Bits of one sample. */
  readonly bitDepth: number;
  /** Samples of one pixel as it is decoded: alpha included, palettes expanded. */
  readonly channels: number;
  /** Pictures that an animation shows one after the other; absent in formats that have no animations. */
  readonly frames?: number;
}

/** What a picture says of its colours by numbers of ITU-T H.273: tables 2 and 3. */
export interface CodePoints {
  readonly primaries: number;
  readonly transfer: number;
}

/** The error for a file that has more parts than a library is given; `what` is a plural. */
export function toTooMany(what: string, limit: number): ServiceError {
  return new ServiceError('ERR_IMAGE_TOO_COSTLY', `the image has more than ${String(limit)} ${what}`);
}

/** A view of all of `bytes`; reading beyond its end is a RangeError. */
export function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A four-character code, as a number. */
export function toCode(name: string): number {
  return Buffer.from(name, 'latin1').readUInt32BE(0);
}
