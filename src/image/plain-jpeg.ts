import { readOrientation } from './exif.ts';
import { isFrame, type JpegFacts, readJpegHeader } from './header/jpeg.ts';
import { isStandardProfile } from './icc-profile.ts';
import { hasMagic } from './signature.ts';
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
const startOfScan = 0xda;
const application0 = 0xe0;
const application1 = 0xe1;
const application2 = 0xe2;
const application14 = 0xee;
const jfifSignature = 'JFIF\0';
const adobeSignature = 'Adobe';
const exifSignature = 'Exif\0\0';
const profileSignature = 'ICC_PROFILE\0';

/**
 * Reads a JPEG whose header has nothing unusual: 8 bits, grey or three components in one sequential scan, markers
 * without gaps, sRGB, at most one EXIF block and that well-formed, and an end.
 * @returns undefined for all others, damaged ones among them
 * @throws as `readJpegHeader`
 */
export function readPlainJpeg(bytes: Uint8Array, header = readJpegHeader(bytes)): PlainJpeg | undefined {
  // Without an end the picture is truncated.
  if (header === undefined || !isPlainFrame(header) || header.hasGaps || !header.isComplete) return undefined;
  let hasFrame = false;
  let orientation: number | undefined;
  for (const { marker, start, end } of header.segments) {
    // Below 0xc0 nothing is in use.
    if (marker < 0xc0 || unusual.has(marker) || end > bytes.length) return undefined;
    const body = bytes.subarray(start, end);
    if (isRemarkable(marker, body)) return undefined;
    if (isFrame(marker)) {
      if (hasFrame || body.length !== 6 + 3 * header.channels) return undefined;
      hasFrame = true;
    } else if (marker === application1 && hasMagic(body, exifSignature)) {
      if (orientation !== undefined) return undefined;
      orientation = readOrientation(body.subarray(exifSignature.length));
      if (orientation === undefined) return undefined;
    } else if (marker === application2 && hasMagic(body, profileSignature)) {
      if ((hasFrame && header.channels === 1) || !isStandard(body)) return undefined;
    }
  }
  if (!hasFrame) return undefined;
  return { coded: { width: header.width, height: header.height }, orientation: orientation ?? 1 };
}

/** Whether a frame is baseline or extended sequential, Huffman-coded, in one scan (ITU-T T.81, B.2.2). */
function isPlainFrame(header: JpegFacts): boolean {
  const { width, height, bitDepth, channels } = header;
  if (!header.isSequential || header.isBuffered || header.scans !== 1) return false;
  return bitDepth === 8 && width > 0 && height > 0 && (channels === 1 || channels === 3);
}

/**
 * Whether libjpeg warns about a segment, on stderr: the header of a scan of a part of the
 * spectrum (B.2.3), a later version of JFIF, a transform that Adobe does not define for three components.
 */
function isRemarkable(marker: number, body: Uint8Array): boolean {
  if (marker === startOfScan) {
    const [first, last, approximation] = body.subarray(-3);
    return first !== 0 || last !== 63 || approximation !== 0;
  }
  if (marker === application0 && hasMagic(body, jfifSignature)) return body[5] !== 1;
  return marker === application14 && hasMagic(body, adobeSignature) && (body[11] ?? 0) > 1;
}

/** Whether a segment holds the whole of a profile (ICC.1:2022, B.4), and that of sRGB. */
function isStandard(body: Uint8Array): boolean {
  const [, total] = body.subarray(profileSignature.length);
  return total === 1 && isStandardProfile(body.subarray(profileSignature.length + 2));
}
