import type { Size } from '../types.ts';
import { type CommonFacts, toTooMany, toView } from './header-facts.ts';
import { readNumbers, readOffset, readTable, type TiffField, type TiffLayout } from './tiff-fields.ts';

/** What the first directory of a TIFF or BigTIFF says (TIFF 6.0). What it leaves out has the standard's default. */
export interface TiffFacts extends CommonFacts {
  readonly format: 'tiff';
  /** What is stored, and decoded, as one: a strip or a tile. */
  readonly block: Size;
}

/** A fax of 10 MiB has a thousand pages. The library goes through all directories to find the first. */
export const maxDirectories = 2048;
/** Of all directories together, which may overlap. */
export const maxAllEntries = 200_000;

const tags = {
  width: 256,
  height: 257,
  bitsPerSample: 258,
  photometric: 262,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  tileWidth: 322,
  tileHeight: 323,
} as const;
const wanted: ReadonlySet<number> = new Set(Object.values(tags));
/** Samples of a pixel whose depths are looked at. */
const maxSamples = 16;
const palette = 3;

/**
 * Reads the directories of a TIFF.
 * @returns undefined where the first one has no size
 * @throws ERR_IMAGE_TOO_COSTLY for too many directories or entries, RangeError where the file ends within the first
 */
export function readTiffHeader(bytes: Uint8Array): TiffFacts | undefined {
  const view = toView(bytes);
  const isLittle = view.getUint8(0) === 0x49;
  const layout: TiffLayout = { view, isLittle, isBig: view.getUint16(2, isLittle) === 43 };
  const start = readOffset(layout, layout.isBig ? 8 : 4);
  assertChain(layout, start);
  const facts = toFacts(layout, readTable(layout, start, wanted).fields);
  return facts.width === 0 || facts.height === 0 ? undefined : facts;
}

/** The chain may be a ring, and ends then where it closes. */
function assertChain(layout: TiffLayout, start: number): void {
  const seen = new Set<number>();
  let entries = 0;
  for (let offset = start; offset !== 0 && !seen.has(offset);) {
    seen.add(offset);
    if (seen.size > maxDirectories) throw toTooMany('directories', maxDirectories);
    try {
      const table = readTable(layout, offset);
      entries += table.entries;
      offset = table.next;
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      return;
    }
    if (entries > maxAllEntries) throw toTooMany('entries in its directories', maxAllEntries);
  }
}

function toFacts(layout: TiffLayout, fields: ReadonlyMap<number, TiffField>): TiffFacts {
  const readAll = (tag: number): number[] => readNumbers(layout, fields.get(tag), maxSamples);
  const read = (tag: number): number | undefined => readAll(tag)[0];
  const [width, height] = [read(tags.width) ?? 0, read(tags.height) ?? 0];
  const rows = Math.min(height, read(tags.rowsPerStrip) ?? height);
  const samples = read(tags.samplesPerPixel) ?? 1;
  return {
    format: 'tiff',
    width,
    height,
    // Readers take all samples to be as deep as the first; a deeper one must not be priced too low.
    bitDepth: Math.max(1, ...readAll(tags.bitsPerSample)),
    channels: read(tags.photometric) === palette ? Math.max(3, samples) : samples,
    block: { width: read(tags.tileWidth) ?? width, height: read(tags.tileHeight) ?? rows },
  };
}
