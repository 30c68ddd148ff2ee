import { readOrientation } from './exif.ts';
import { isStandardProfile } from './icc-profile.ts';
import { isFrame, listSegments, startOfScan } from './jpeg-frame.ts';
import type { Size } from './types.ts';

/** A JPEG of the kind that nearly all cameras and programs write, as far as its header tells. */
export interface PlainJpeg {
  /** In pixels, before it is turned upright. */
  readonly coded: Size;
  /** As EXIF counts, 1…8. */
  readonly orientation: number;
}

/** Arithmetic conditioning, an extension, number of lines, hierarchical progressions (ITU-T T.81, table B.1). */
const unusual = new Set([0xc8, 0xcc, 0xdc, 0xde, 0xdf]);
const application1 = 0xe1;
const application2 = 0xe2;
const exifSignature = 'Exif\0\0';
const profileSignature = 'ICC_PROFILE\0';
const endOfImage = Buffer.of(0xff, 0xd9);

/**
 * Reads a JPEG whose header has nothing unusual: 8 bits, grey or three components in one sequential scan, markers
 * without gaps, sRGB, at most one EXIF block and that well-formed, and an end.
 * @returns undefined for all others, damaged ones among them
 */
export function readPlainJpeg(bytes: Uint8Array): PlainJpeg | undefined {
  let frame: Frame | undefined;
  let orientation: number | undefined;
  for (const { marker, body } of listHeaderSegments(bytes)) {
    if (unusual.has(marker)) return undefined;
    if (isFrame(marker)) {
      if (frame !== undefined) return undefined;
      frame = readFrame(marker, body);
      if (frame === undefined) return undefined;
    } else if (marker === application1 && startsWith(body, exifSignature)) {
      if (orientation !== undefined) return undefined;
      orientation = readOrientation(body.subarray(exifSignature.length));
      if (orientation === undefined) return undefined;
    } else if (marker === application2 && startsWith(body, profileSignature)) {
      if (frame?.components === 1 || !isStandard(body)) return undefined;
    } else if (marker === startOfScan) {
      if (frame === undefined || body[0] !== frame.components || !hasEnd(bytes, body)) return undefined;
      return { coded: frame.size, orientation: orientation ?? 1 };
    }
  }
  return undefined;
}

/** Goes through the segments of a header; stops where one is not where, or not what, it should be. */
function* listHeaderSegments(bytes: Uint8Array): Generator<{ marker: number; body: Uint8Array }> {
  let next = 2;
  for (const { marker, at, length } of listSegments(bytes)) {
    // Below 0xc0 nothing is in use.
    if (at !== next || marker < 0xc0 || length < 2 || at + 2 + length > bytes.length) return;
    next = at + 2 + length;
    yield { marker, body: bytes.subarray(at + 4, next) };
  }
}

interface Frame {
  readonly size: Size;
  readonly components: number;
}

/** Reads a baseline or extended sequential frame, Huffman-coded (ITU-T T.81, B.2.2). */
function readFrame(marker: number, body: Uint8Array): Frame | undefined {
  const [precision, heightHigh = 0, heightLow = 0, widthHigh = 0, widthLow = 0, components = 0] = body;
  const height = (heightHigh << 8) | heightLow;
  const width = (widthHigh << 8) | widthLow;
  const isSequential = marker === 0xc0 || marker === 0xc1;
  if (!isSequential || precision !== 8 || height === 0 || width === 0) return undefined;
  if ((components !== 1 && components !== 3) || body.length !== 6 + 3 * components) return undefined;
  return { size: { width, height }, components };
}

/** Whether a segment holds the whole of a profile (ICC.1:2022, B.4), and that of sRGB. */
function isStandard(body: Uint8Array): boolean {
  const [, total] = body.subarray(profileSignature.length);
  return total === 1 && isStandardProfile(body.subarray(profileSignature.length + 2));
}

/** Without an end the picture is truncated; the end of a preview inside the header is not that. */
function hasEnd(bytes: Uint8Array, scan: Uint8Array): boolean {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return all.lastIndexOf(endOfImage) >= scan.byteOffset + scan.byteLength - bytes.byteOffset;
}

function startsWith(bytes: Uint8Array, signature: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(signature.length, bytes.length)).equals(
    Buffer.from(signature, 'latin1'),
  );
}
