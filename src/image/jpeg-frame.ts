/** What the markers of a JPEG promise, read without decoding (ITU-T T.81, annex B). */
interface JpegFrame {
  readonly width: number;
  readonly height: number;
  /** How often the decoder goes over the whole picture. */
  readonly scans: number;
}

const startOfImage = 0xd8;
const endOfImage = 0xd9;
export const startOfScan = 0xda;
/** SOF2, 6, 10 and 14. */
const progressiveFrames = new Set([0xc2, 0xc6, 0xca, 0xce]);
/** In the range of the frame headers, but tables and an extension. */
const notFrames = new Set([0xc4, 0xc8, 0xcc]);

/** Reads size and number of scans; undefined where there is no frame header. */
export function readJpegFrame(bytes: Uint8Array): JpegFrame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: JpegFrame | undefined;
  let scans = 0;
  for (const { marker, at } of listSegments(bytes)) {
    if (isFrame(marker) && frame === undefined && at + 9 <= bytes.length) {
      frame = { height: view.getUint16(at + 5), width: view.getUint16(at + 7), scans: 1 };
      // What a further scan of a sequential JPEG costs is bounded by its bytes; of a progressive one it is not.
      if (!progressiveFrames.has(marker)) return frame;
    }
    if (marker === startOfScan) scans += 1;
  }
  return frame && { ...frame, scans };
}

/** Whether a marker is a frame header's, of whatever coding. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && !notFrames.has(marker);
}

/**
 * Goes from marker to marker up to the end of the image, and over what is between them; `at` is where the marker's 0xff
 * is, `length` what the segment says of itself.
 */
export function* listSegments(bytes: Uint8Array): Generator<{ marker: number; at: number; length: number }> {
  let at = bytes.indexOf(0xff, 2);
  while (at >= 0) {
    const marker = bytes[at + 1];
    if (marker === undefined || marker === endOfImage) return;
    if (marker === 0xff) {
      at += 1;
    } else if (hasNoLength(marker)) {
      at = bytes.indexOf(0xff, at + 2);
    } else {
      const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
      yield { marker, at, length };
      at = bytes.indexOf(0xff, at + 2 + length);
    }
  }
}

/** A stuffed byte of entropy-coded data, a restart marker, or one that stands alone. */
function hasNoLength(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= startOfImage);
}
