import { type CommonFacts, toTooMany } from './header-facts.ts';

/** What the blocks of a GIF say (GIF89a). The size is that of the logical screen, which decoders ignore where it is absurd. */
export interface GifFacts extends CommonFacts {
  readonly format: 'gif';
}

/** Long recordings of a screen have a few thousand; the library reads all of them to find the first. */
export const maxGifFrames = 10_000;

const headerBytes = 13;
const extensionStart = 0x21;
const frameStart = 0x2c;

/**
 * Reads the blocks of a GIF.
 * @returns undefined where the file ends before its screen is described
 * @throws ERR_IMAGE_TOO_COSTLY for too many frames
 */
export function readGifHeader(bytes: Uint8Array): GifFacts | undefined {
  if (bytes.length < headerBytes) return undefined;
  let frames = 0;
  for (let at = headerBytes + toTableBytes(bytes[10] ?? 0); at < bytes.length; at = skipBlocks(bytes, at)) {
    if (bytes[at] === frameStart) {
      frames += 1;
      if (frames > maxGifFrames) throw toTooMany('frames', maxGifFrames);
      at += 11 + toTableBytes(bytes[at + 9] ?? 0);
    } else if (bytes[at] === extensionStart) {
      at += 2;
    } else break;
  }
  const read16 = (at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  // The decoder makes RGBA.
  return { format: 'gif', width: read16(6), height: read16(8), bitDepth: 8, channels: 4, frames };
}

/** The colour table that packed fields promise: none, or three bytes for each of 2 to 256 colours. */
function toTableBytes(packed: number): number {
  return (packed & 0x80) === 0 ? 0 : 3 << ((packed & 7) + 1);
}

/** Skips sub-blocks up to behind their terminator. */
function skipBlocks(bytes: Uint8Array, from: number): number {
  let at = from;
  for (let length = bytes[at] ?? 0; length !== 0; length = bytes[at] ?? 0) at += 1 + length;
  return at + 1;
}
