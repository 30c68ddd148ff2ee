import { type ByteRange, type CommonFacts, toTooMany, toView } from './header-facts.ts';

/** A marker segment before the first scan; the range is that of its parameters, behind the length. */
export interface JpegSegment extends ByteRange {
  readonly marker: number;
}

/** Sampling factors of one component, 1…4 in a valid file. */
export interface JpegComponent {
  readonly across: number;
  readonly down: number;
}

/** What the markers of a JPEG say (ITU-T T.81, annex B). */
export interface JpegFacts extends CommonFacts {
  readonly format: 'jpeg';
  /** Marker of the frame header: SOF0 to SOF15 are 0xc0 to 0xcf. */
  readonly coding: number;
  /** Baseline or extended sequential, Huffman-coded. */
  readonly isSequential: boolean;
  /** Whether the decoder needs all scans for the first row, and keeps all coefficients in memory. */
  readonly isBuffered: boolean;
  readonly components: readonly JpegComponent[];
  /** How often the decoder goes over the picture; 1 where it stops after the first scan. */
  readonly scans: number;
  /** In the order of the file; the frame header and the first scan's are among them. */
  readonly segments: readonly JpegSegment[];
  /** Whether each of these segments begins where the one before ends. */
  readonly hasGaps: boolean;
  /** Whether there is an end of the image behind the first scan. */
  readonly isComplete: boolean;
}

/**
 * Files with metadata in many parts have up to 160 segments in 10 MiB, those with a scan for each band up to 500. libjpeg
 * goes through a list of all application segments for each further one.
 */
export const maxSegments = 4096;

const startOfImage = 0xd8;
const endOfImage = 0xd9;
const startOfScan = 0xda;
/** In the range of the frame headers, but tables and an extension. */
const notFrames = new Set([0xc4, 0xc8, 0xcc]);
const endMarker = Buffer.of(0xff, endOfImage);

/**
 * Reads the markers of a JPEG.
 * @param extent - up to the first scan at the most, where the others need not be counted
 * @returns undefined where there is no frame header
 * @throws ERR_IMAGE_TOO_COSTLY for too many segments
 */
export function readJpegHeader(
  bytes: Uint8Array,
  extent: 'first scan' | 'all scans' = 'all scans',
): JpegFacts | undefined {
  const segments: JpegSegment[] = [];
  let frame: Frame | undefined;
  let isBuffered: boolean | undefined;
  let hasGaps = false;
  let scans = 0;
  let count = 0;
  let next = 2;
  for (let at = findMarker(bytes, next); at >= 0 && bytes[at + 1] !== endOfImage; at = findMarker(bytes, next)) {
    const marker = bytes[at + 1] ?? 0;
    const start = at + 4;
    const end = at + 2 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
    count += 1;
    if (count > maxSegments) throw toTooMany('segments', maxSegments);
    if (scans === 0) {
      segments.push({ marker, start, end });
      hasGaps ||= at !== next || end < start;
    }
    if (isFrame(marker)) frame ??= readFrame(bytes, marker, start);
    next = Math.max(end, at + 2);
    if (marker !== startOfScan) continue;
    scans += 1;
    isBuffered ??= frame === undefined || frame.isProgressive || bytes[start] !== frame.channels;
    // The decoder does not look at what follows the only scan.
    if (!isBuffered || extent === 'first scan') break;
  }
  if (frame === undefined) return undefined;
  const { isProgressive, ...facts } = frame;
  const isComplete = scans > 0 && hasEndFrom(bytes, next);
  return { ...facts, isBuffered: isBuffered ?? isProgressive, scans, segments, hasGaps, isComplete };
}

/** Whether a marker is a frame header's, of whatever coding. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && !notFrames.has(marker);
}

/** Finds the next marker that has a segment, or the end of the image; -1 for neither. */
function findMarker(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(0xff, from);
  if (at < 0) return -1;
  // A call of indexOf for each stuffed byte would cost more than the loop.
  for (const last = bytes.length - 1; at < last; at += 1) {
    if (bytes[at] !== 0xff) continue;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) continue;
    if (!standsAlone(marker)) return at;
    at += 1;
  }
  return -1;
}

/** A stuffed byte of entropy-coded data, a restart marker, or one that has no segment. */
function standsAlone(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= startOfImage);
}

type Frame = Pick<
  JpegFacts,
  'format' | 'coding' | 'width' | 'height' | 'bitDepth' | 'channels' | 'isSequential' | 'components'
> & {
  readonly isProgressive: boolean;
};

/** Reads a frame header (B.2.2); undefined where the file ends in it. */
function readFrame(bytes: Uint8Array, marker: number, start: number): Frame | undefined {
  if (start + 6 > bytes.length) return undefined;
  const view = toView(bytes);
  const channels = view.getUint8(start + 5);
  const components: JpegComponent[] = [];
  for (let at = start + 6; at + 3 <= Math.min(bytes.length, start + 6 + 3 * channels); at += 3) {
    const factors = view.getUint8(at + 1);
    components.push({ across: factors >> 4, down: factors & 15 });
  }
  return {
    format: 'jpeg',
    bitDepth: view.getUint8(start),
    height: view.getUint16(start + 1),
    width: view.getUint16(start + 3),
    channels,
    components,
    coding: marker,
    isSequential: marker === 0xc0 || marker === 0xc1,
    // SOF2, 6, 10 and 14.
    isProgressive: (marker & 3) === 2,
  };
}

/** The end of a preview inside the header is not that of the picture. */
function hasEndFrom(bytes: Uint8Array, from: number): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(endMarker) >= from;
}
