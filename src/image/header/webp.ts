import { type ByteRange, type CommonFacts, toCode, toTooMany, toView } from './header-facts.ts';

/** What the chunks of a WebP say (RFC 9649). The size is the larger of those of the canvas and of the first frame. */
export interface WebpFacts extends CommonFacts {
  readonly format: 'webp';
  readonly isAnimated: boolean;
}

/** Animations of minutes have a few thousand. The library's time grows with their square: a tenth of a second for these. */
export const maxWebpFrames = 5000;
/** Beside frames, files have up to ten. */
export const maxWebpChunks = 1000;

const riffBytes = 12;
const chunkBytes = 8;
const frameHeaderBytes = 16;
const codes = {
  extended: toCode('VP8X'),
  lossy: toCode('VP8 '),
  lossless: toCode('VP8L'),
  alpha: toCode('ALPH'),
  frame: toCode('ANMF'),
};

/** Facts collected while reading the chunks. */
interface Draft {
  width: number;
  height: number;
  hasAlpha: boolean;
  frames: number;
}

/**
 * Reads the chunks of a WebP.
 * @returns undefined where nothing gives a size
 * @throws ERR_IMAGE_TOO_COSTLY for too many frames or chunks, RangeError where the file ends within a header
 */
export function readWebpHeader(bytes: Uint8Array): WebpFacts | undefined {
  const view = toView(bytes);
  const promised = chunkBytes + view.getUint32(4, true);
  const draft: Draft = { width: 0, height: 0, hasAlpha: false, frames: 0 };
  walkChunks(view, draft, { start: riffBytes, end: Math.min(promised, bytes.length) });
  const { width, height, hasAlpha, frames } = draft;
  if (width === 0 || height === 0) return undefined;
  return { format: 'webp', width, height, bitDepth: 8, channels: hasAlpha ? 4 : 3, isAnimated: frames > 0, frames };
}

function walkChunks(view: DataView, draft: Draft, range: ByteRange): void {
  let others = 0;
  for (let at = range.start; at + chunkBytes <= range.end;) {
    const data = at + chunkBytes;
    const length = view.getUint32(at + 4, true);
    const code = view.getUint32(at);
    if (code === codes.frame) {
      draft.frames += 1;
      if (draft.frames > maxWebpFrames) throw toTooMany('frames', maxWebpFrames);
      if (draft.frames === 1) readFirstFrame(view, draft, data);
    } else {
      others += 1;
      if (others > maxWebpChunks) throw toTooMany('chunks', maxWebpChunks);
      if (code === codes.extended) readExtended(view, draft, data);
      else readBitstream(view, draft, code, data);
    }
    at = data + length + (length & 1);
  }
}

function readExtended(view: DataView, draft: Draft, start: number): void {
  draft.hasAlpha ||= (view.getUint8(start) & 0x10) !== 0;
  enlarge(draft, 1 + readUint24(view, start + 4), 1 + readUint24(view, start + 7));
}

/** The frame of an animation: its place and size, then chunks of its own. */
function readFirstFrame(view: DataView, draft: Draft, start: number): void {
  enlarge(draft, 1 + readUint24(view, start + 6), 1 + readUint24(view, start + 9));
  let at = start + frameHeaderBytes;
  if (view.getUint32(at) === codes.alpha) {
    const length = view.getUint32(at + 4, true);
    at += chunkBytes + length + (length & 1);
  }
  if (at + chunkBytes <= view.byteLength) readBitstream(view, draft, view.getUint32(at), at + chunkBytes);
}

/** Reads the size of what holds the pixels (RFC 6386, 9.1; RFC 9649, 3.4), and whether that has alpha. */
function readBitstream(view: DataView, draft: Draft, code: number, start: number): void {
  if (code === codes.lossy) {
    enlarge(draft, view.getUint16(start + 6, true) & 0x3fff, view.getUint16(start + 8, true) & 0x3fff);
  }
  if (code !== codes.lossless) return;
  const bits = view.getUint32(start + 1, true);
  draft.hasAlpha ||= ((bits >>> 28) & 1) === 1;
  enlarge(draft, 1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff));
}

/** Canvas, frame and pixels should agree on a size. */
function enlarge(draft: Draft, width: number, height: number): void {
  draft.width = Math.max(draft.width, width);
  draft.height = Math.max(draft.height, height);
}

function readUint24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}
