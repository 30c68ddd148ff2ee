import { toRefusedRaw } from '../refused-formats.ts';
import type { Size } from '../types.ts';
import { nameCameraRaw } from './camera-raw.ts';
import { type CommonFacts, toView } from './header-facts.ts';
import { findMain, readDirectories } from './tiff-directories.ts';
import { readNumbers, readOffset, type TiffLayout, type TiffTable, type TiffTag, tiffTags } from './tiff-fields.ts';
import {
  isReadAsRgba,
  maxValues,
  photometrics,
  readSampleFields,
  type SampleFields,
  type TiffSamples,
  toSamples,
} from './tiff-samples.ts';

/**
 * What a TIFF or BigTIFF says of its picture (TIFF 6.0): the first, or the one that the first is a smaller copy of. What
 * it leaves out has the standard's default.
 */
export interface TiffFacts extends CommonFacts {
  readonly format: 'tiff';
  /** The unit of storage and decoding: a strip or a tile. */
  readonly block: Size;
  /** Bytes that are kept of a pixel of a block. */
  readonly blockPixelBytes: number;
  readonly samples: TiffSamples;
  /** Where the directory is that the library has to find; undefined where it is the first. */
  readonly detour: TiffDetour | undefined;
}

/** How a library is brought to read a directory which is not the first one. */
export interface TiffDetour {
  readonly layout: TiffLayout;
  readonly table: TiffTable;
}

const rgbaBytes = 4;

/**
 * Reads the directories of a TIFF.
 * @returns undefined where its picture has no size, or lies beyond the end
 * @throws ERR_IMAGE_TOO_COSTLY for too many directories or entries, ERR_IMAGE_UNSUPPORTED for camera raw,
 * ERR_IMAGE_CORRUPT for samples that can't be shown, RangeError where the file ends within the first directory
 */
export function readTiffHeader(bytes: Uint8Array): TiffFacts | undefined {
  const view = toView(bytes);
  const isLittle = view.getUint8(0) === 0x49;
  const layout: TiffLayout = { view, isLittle, isBig: view.getUint16(2, isLittle) === 43 };
  const directories = readDirectories(layout, readOffset(layout, toStart(layout)));
  const raw = nameCameraRaw(layout, directories.tables);
  if (raw !== undefined) throw toRefusedRaw(raw);
  const main = findMain(layout, directories);
  if (main === undefined) return undefined;
  const facts = toFacts(layout, main);
  if (facts.width === 0 || facts.height === 0) return undefined;
  return main === directories.tables[0] ? facts : { ...facts, detour: { layout, table: main } };
}

/** Where the offset of the first directory is. */
function toStart({ isBig }: TiffLayout): number {
  return isBig ? 8 : 4;
}

function toFacts(layout: TiffLayout, table: TiffTable): TiffFacts {
  const read = (tag: TiffTag): number | undefined => readNumbers(layout, table.fields.get(tag), maxValues)[0];
  const [width, height] = [read(tiffTags.width) ?? 0, read(tiffTags.height) ?? 0];
  const rows = Math.min(height, read(tiffTags.rowsPerStrip) ?? height);
  const fields = readSampleFields(layout, table);
  const channels = toChannels(fields);
  return {
    format: 'tiff',
    width,
    height,
    bitDepth: fields.bits,
    channels,
    block: { width: read(tiffTags.tileWidth) ?? width, height: read(tiffTags.tileHeight) ?? rows },
    blockPixelBytes: (channels + toCopied(fields)) * Math.ceil(fields.bits / 8),
    samples: toSamples(layout, table, fields),
    detour: undefined,
  };
}

/** Samples of a pixel as it is decoded. */
function toChannels(fields: SampleFields): number {
  if (isReadAsRgba(fields)) return rgbaBytes;
  return fields.photometric === photometrics.palette ? Math.max(3, fields.samples) : fields.samples;
}

/** Samples of a pixel of a strip that libvips holds twice: planes before they are joined, and YCbCr. */
function toCopied({ photometric, samples, isSeparate }: SampleFields): number {
  if (photometric === photometrics.ycbcr) return samples;
  return isSeparate ? 1 : 0;
}

/** A copy of a TIFF whose only directory is that of its picture. */
export function withDetour(bytes: Uint8Array, { layout, table }: TiffDetour): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const view = toView(copy);
  const write = (at: number, offset: number): void => {
    if (layout.isBig) view.setBigUint64(at, BigInt(offset), layout.isLittle);
    else view.setUint32(at, offset, layout.isLittle);
  };
  write(toStart(layout), table.offset);
  write(table.nextAt, 0);
  return copy;
}
