import { type ByteRange, type CommonFacts, toCode, toTooMany, toView } from './header-facts.ts';
import { type PngColour, readColourChunk } from './png-colour.ts';

/** What the chunks of a PNG say (PNG, third edition). */
export interface PngFacts extends CommonFacts, PngColour {
  readonly format: 'png';
  /** Interlaced by Adam7: the decoder keeps the whole picture. */
  readonly isInterlaced: boolean;
  /** Chunks before the pixels whose text may be compressed; length, type and checksum included. */
  readonly compressedText: readonly ByteRange[];
}

/** libpng keeps at most 1,000 texts of a file; real files have tens of chunks before their pixels. */
export const maxChunksBeforePixels = 1000;
/** Encoders write pixels in chunks of 8 kB or of one row. */
export const maxChunks = 200_000;

const signatureBytes = 8;
/** Length, type and checksum around each chunk's data. */
const frameBytes = 12;
const codes = {
  header: toCode('IHDR'),
  palette: toCode('PLTE'),
  pixels: toCode('IDAT'),
  end: toCode('IEND'),
  transparency: toCode('tRNS'),
  animation: toCode('acTL'),
  frame: toCode('fcTL'),
  text: new Set([toCode('zTXt'), toCode('iTXt')]),
};
/** By colour type: grey, RGB, palette, grey with alpha, RGB with alpha. */
const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 };

/**
 * Reads the chunks of a PNG.
 * @returns undefined where IHDR does not come first or is invalid
 * @throws ERR_IMAGE_TOO_COSTLY for too many chunks
 */
export function readPngHeader(bytes: Uint8Array): PngFacts | undefined {
  const view = toView(bytes);
  const data = signatureBytes + 8;
  if (bytes.length < data + 13 || view.getUint32(signatureBytes + 4) !== codes.header) return undefined;
  const channels = channelsOf[view.getUint8(data + 9)];
  if (channels === undefined) return undefined;
  const { hasTransparency, ...chunks } = walkChunks(view);
  return {
    format: 'png',
    width: view.getUint32(data),
    height: view.getUint32(data + 4),
    bitDepth: view.getUint8(data + 8),
    channels: channels + (hasTransparency ? 1 : 0),
    isInterlaced: view.getUint8(data + 12) !== 0,
    ...chunks,
  };
}

/** What the chunks say beside the header's own fields. */
interface Chunks extends Pick<PngFacts, 'compressedText'>, PngColour {
  readonly hasTransparency: boolean;
  readonly frames: number;
}

function walkChunks(view: DataView): Chunks {
  let colour: PngColour = {};
  let hasPalette = false;
  const compressedText: ByteRange[] = [];
  let hasTransparency = false;
  let hasPixels = false;
  let isAnimation = false;
  let frames = 0;
  let count = 0;
  for (let at = signatureBytes; at + frameBytes <= view.byteLength;) {
    const next = at + frameBytes + view.getUint32(at);
    const type = view.getUint32(at + 4);
    if (type === codes.end) break;
    hasPixels ||= type === codes.pixels;
    hasPalette ||= type === codes.palette;
    // Pixels before the first frame are a picture of their own, which only viewers without animations show.
    if (type === codes.frame) frames += hasPixels && frames === 0 ? 2 : 1;
    count += 1;
    if (count > maxChunks) throw toTooMany('chunks', maxChunks);
    if (!hasPixels) {
      if (count > maxChunksBeforePixels) throw toTooMany('chunks before its pixels', maxChunksBeforePixels);
      if (codes.text.has(type)) compressedText.push({ start: at, end: next });
      hasTransparency ||= type === codes.transparency;
      // Behind the palette they do not count.
      if (!hasPalette) colour = { ...readColourChunk(view, at), ...colour };
      isAnimation ||= type === codes.animation;
    }
    at = next;
  }
  return { ...colour, hasTransparency, compressedText, frames: isAnimation ? frames : 1 };
}
