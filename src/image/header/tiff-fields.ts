import { toTooMany } from './header-facts.ts';

/** Where a TIFF or BigTIFF differs from the other kind, and how it is read. */
export interface TiffLayout {
  readonly view: DataView;
  readonly isLittle: boolean;
  readonly isBig: boolean;
}

/** One entry of a directory. */
export interface TiffField {
  readonly type: number;
  readonly count: number;
  /** Where the values are. */
  readonly at: number;
}

/** Readers refuse directories with more entries. */
export const maxEntries = 4096;

/** The tags that are looked at (TIFF 6.0; DNG 1.6). */
export const tiffTags = {
  newSubfileType: 254,
  subfileType: 255,
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  maker: 271,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  planarConfiguration: 284,
  tileWidth: 322,
  tileHeight: 323,
  subDirectories: 330,
  inkSet: 332,
  extraSamples: 338,
  sampleFormat: 339,
  luminance: 529,
  subsampling: 530,
  referenceBlackWhite: 532,
  dngVersion: 50706,
} as const;

export type TiffTag = (typeof tiffTags)[keyof typeof tiffTags];

const wantedTags: ReadonlySet<number> = new Set(Object.values(tiffTags));

/** Bytes of one value by type: BYTE, SHORT, LONG, UNDEFINED, IFD, LONG8, IFD8. */
const valueBytes: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 13: 4, 16: 8, 18: 8 };
/** A quotient of two LONGs. */
const rational = 5;

/** Reads an offset or a count of the layout's size. @throws RangeError beyond the end */
export function readOffset({ view, isLittle, isBig }: TiffLayout, at: number): number {
  return isBig ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle);
}

/** A directory as it lies in the file. */
export interface TiffTable {
  readonly offset: number;
  readonly entries: number;
  /** Those of `tiffTags`; of several the first. */
  readonly fields: ReadonlyMap<number, TiffField>;
  /** Offset of the next directory; 0 for none. */
  readonly next: number;
  /** Where `next` is. */
  readonly nextAt: number;
}

/**
 * Reads the directory at an offset.
 * @throws RangeError where the file ends within it, ERR_IMAGE_TOO_COSTLY for too many entries
 */
export function readTable(layout: TiffLayout, offset: number): TiffTable {
  const { view, isLittle, isBig } = layout;
  const entries = isBig ? readOffset(layout, offset) : view.getUint16(offset, isLittle);
  const [first, entryBytes] = isBig ? [offset + 8, 20] : [offset + 2, 12];
  const end = first + entries * entryBytes;
  const next = readOffset(layout, end);
  if (entries > maxEntries) throw toTooMany('entries in a directory', maxEntries);
  const fields = new Map<number, TiffField>();
  for (let at = first; at < end; at += entryBytes) {
    const tag = view.getUint16(at, isLittle);
    if (wantedTags.has(tag) && !fields.has(tag)) fields.set(tag, readField(layout, at));
  }
  return { offset, entries, fields, next, nextAt: end };
}

function readField(layout: TiffLayout, at: number): TiffField {
  const { view, isLittle, isBig } = layout;
  const type = view.getUint16(at + 2, isLittle);
  const count = readOffset(layout, at + 4);
  const [value, inlineBytes] = isBig ? [at + 12, 8] : [at + 8, 4];
  const isInline = count * (valueBytes[type] ?? 8) <= inlineBytes;
  return { type, count, at: isInline ? value : readOffset(layout, value) };
}

/** The unsigned numbers of a field, `maxCount` at most; none where it is no such field or lies beyond the end. */
export function readNumbers({ view, isLittle }: TiffLayout, field: TiffField | undefined, maxCount: number): number[] {
  const bytes = valueBytes[field?.type ?? 0];
  if (field === undefined || bytes === undefined) return [];
  const count = Math.min(field.count, maxCount);
  if (field.at + count * bytes > view.byteLength) return [];
  return Array.from({ length: count }, (_, index) => {
    const at = field.at + index * bytes;
    if (bytes === 1) return view.getUint8(at);
    if (bytes === 2) return view.getUint16(at, isLittle);
    return bytes === 4 ? view.getUint32(at, isLittle) : Number(view.getBigUint64(at, isLittle));
  });
}

/** The quotients of a field of `count` values; undefined where it is no such field, or lies beyond the end. */
export function readRationals({ view, isLittle }: TiffLayout, field: TiffField | undefined, count: number) {
  if (field?.type !== rational || field.count !== count || field.at + 8 * count > view.byteLength) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const at = field.at + 8 * index;
    return view.getUint32(at, isLittle) / view.getUint32(at + 4, isLittle);
  });
}
