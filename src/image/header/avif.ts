import type { Size } from '../types.ts';
import { findBox, listBoxes } from './boxes.ts';
import { type ByteRange, type CodePoints, type CommonFacts, toCode, toTooMany, toView } from './header-facts.ts';
import { countFrames } from './heif-frames.ts';
import { type HeifItem, type HeifItems, readExtents, readItems } from './heif-items.ts';
import { type Av1Stream, readAv1Stream } from './sequence-header.ts';

/** A picture among the items of a file: coded as it is, or put together from others. */
export interface AvifPicture extends Size {
  readonly id: number;
  /** The larger of what the container and the coded data say; likewise `bitDepth`. */
  readonly bitDepth: number;
  readonly isMonochrome: boolean;
  /** Whether colour is stored at half of the width and the height. */
  readonly isSubsampled: boolean;
  /** Whether it is the alpha or the depth of another. */
  readonly isAuxiliary: boolean;
  /** Pixels of all coded pictures that it takes, itself among them. */
  readonly codedPixels: number;
  /** Coded frames that a decoder may keep at a time. */
  readonly codedFrames: number;
  /** Of its colours; the container takes precedence over the coded data. */
  readonly codePoints: CodePoints | undefined;
}

/** What the boxes of an AVIF, and the sequence headers in its data, say. */
export interface AvifFacts extends CommonFacts {
  readonly format: 'avif';
  readonly pictures: readonly AvifPicture[];
  readonly codePoints: CodePoints | undefined;
}

/** A grid of pictures, at most inside an overlay inside an identity; deeper levels are ignored. */
const maxLevels = 3;
/** Frames that an AV1 decoder keeps for reference. */
const maxCodedFrames = 8;

const codes = {
  meta: toCode('meta'),
  coded: toCode('av01'),
  derived: new Set([toCode('grid'), toCode('iovl'), toCode('iden')]),
  auxiliary: toCode('auxC'),
  configuration: toCode('av1C'),
  colours: toCode('colr'),
  codePoints: toCode('nclx'),
};

/**
 * Reads the boxes of an AVIF.
 * @returns undefined where it has no picture with a size
 * @throws ERR_IMAGE_TOO_COSTLY for too many parts, RangeError where the file ends within a header
 */
export function readAvifHeader(bytes: Uint8Array): AvifFacts | undefined {
  const view = toView(bytes);
  const boxes = listBoxes(view, { start: 0, end: bytes.length });
  const meta = findBox(boxes, codes.meta);
  if (meta === undefined) return undefined;
  const found = readItems(view, meta);
  const pictures = toPictures(bytes, found);
  const colours = pictures.filter(({ isAuxiliary }) => !isAuxiliary);
  const main = colours.find(({ id }) => id === found.primary) ?? colours[0];
  if (main === undefined || main.width === 0 || main.height === 0) return undefined;
  return {
    format: 'avif',
    width: main.width,
    height: main.height,
    bitDepth: main.bitDepth,
    channels: (main.isMonochrome ? 1 : 3) + (pictures.length > colours.length ? 1 : 0),
    pictures,
    codePoints: main.codePoints,
    frames: countFrames(view, boxes),
  };
}

function toPictures(bytes: Uint8Array, { items, innerData }: HeifItems): AvifPicture[] {
  const view = toView(bytes);
  const pictures = new Map<number, AvifPicture>();
  let units = 0;
  let joined = 0;
  for (const item of items) {
    if (item.type !== codes.coded) continue;
    const data = takeData(bytes, item, innerData);
    if (item.extents.length > 1) joined += data.length;
    // Pieces that overlap could make gigabytes of a small file.
    if (joined > bytes.length) throw toTooMany('bytes in pieces', bytes.length);
    const stream = readAv1Stream(data, units);
    units += stream.units;
    pictures.set(item.id, readCoded(view, item, stream));
  }
  let waiting = items.filter(({ type }) => codes.derived.has(type));
  // Level by level: what is made of pictures that are known, then what is made of those.
  for (let level = 0; level < maxLevels && waiting.length > 0; level += 1) {
    const isKnown = ({ parts }: HeifItem): boolean => parts.every((id) => pictures.has(id));
    for (const item of waiting.filter(isKnown)) pictures.set(item.id, putTogether(view, item, pictures));
    waiting = waiting.filter(({ id }) => !pictures.has(id));
  }
  return [...pictures.values()];
}

/** The data of an item: a view where it is in one piece. */
function takeData(bytes: Uint8Array, { extents, isInner }: HeifItem, innerData: ByteRange | undefined): Uint8Array {
  const around = isInner ? bytes.subarray(innerData?.start ?? bytes.length, innerData?.end) : bytes;
  const pieces = extents.map(({ start, end }) => around.subarray(start, Math.min(end, around.length)));
  const [first = new Uint8Array()] = pieces;
  if (pieces.length <= 1) return first;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length > bytes.length) throw toTooMany('bytes in pieces', bytes.length);
  return Buffer.concat(pieces, length);
}

function readCoded(view: DataView, item: HeifItem, { sequences, frames }: Av1Stream): AvifPicture {
  const claimed = readExtents(view, item);
  const configuration = findBox(item.properties, codes.configuration);
  // high_bitdepth and twelve_bit, monochrome, chroma_subsampling_x (AV1-ISOBMFF, 2.3.3).
  const flags = configuration ? view.getUint8(configuration.start + 2) : 0;
  const claimedDepth = (flags & 0x40) === 0 ? 8 : (flags & 0x20) === 0 ? 10 : 12;
  const width = Math.max(claimed?.width ?? 0, ...sequences.map((sequence) => sequence.width));
  const height = Math.max(claimed?.height ?? 0, ...sequences.map((sequence) => sequence.height));
  return {
    id: item.id,
    width,
    height,
    bitDepth: Math.max(claimedDepth, ...sequences.map((sequence) => sequence.bitDepth)),
    isMonochrome: (flags & 0x10) !== 0 && sequences.every(({ isMonochrome }) => isMonochrome),
    isSubsampled: (flags & 0x08) !== 0 && sequences.every(({ isSubsampled }) => isSubsampled),
    isAuxiliary: findBox(item.properties, codes.auxiliary) !== undefined,
    codedPixels: width * height,
    codedFrames: Math.min(maxCodedFrames, Math.max(1, frames)),
    codePoints: readCodePoints(view, item) ?? sequences[0]?.codePoints,
  };
}

function putTogether(view: DataView, item: HeifItem, pictures: ReadonlyMap<number, AvifPicture>): AvifPicture {
  const parts = item.parts.flatMap((id) => pictures.get(id) ?? []);
  const largest = parts.reduce<AvifPicture | undefined>(
    (largest, part) => (part.width * part.height > (largest ? largest.width * largest.height : 0) ? part : largest),
    undefined,
  );
  const size = readExtents(view, item) ?? { width: largest?.width ?? 0, height: largest?.height ?? 0 };
  return {
    id: item.id,
    width: size.width,
    height: size.height,
    bitDepth: parts.reduce((deepest, part) => Math.max(deepest, part.bitDepth), 8),
    isMonochrome: parts.every((part) => part.isMonochrome),
    isSubsampled: parts.every((part) => part.isSubsampled),
    isAuxiliary: findBox(item.properties, codes.auxiliary) !== undefined,
    codedPixels: parts.reduce((sum, part) => sum + part.codedPixels, 0),
    codedFrames: parts.reduce((most, part) => Math.max(most, part.codedFrames), 1),
    codePoints: readCodePoints(view, item) ?? parts[0]?.codePoints,
  };
}

/** The box colr of an item where it holds code points; the one beside it may hold a profile. */
function readCodePoints(view: DataView, { properties }: HeifItem): CodePoints | undefined {
  const box = properties.find(
    ({ type, start }) => type === codes.colours && view.getUint32(start) === codes.codePoints,
  );
  return box && { primaries: view.getUint16(box.start + 4), transfer: view.getUint16(box.start + 6) };
}
