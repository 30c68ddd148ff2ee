import { toTooMany } from './header-facts.ts';
import { readNumbers, readTable, type TiffLayout, type TiffTable, type TiffTag, tiffTags } from './tiff-fields.ts';

/** A fax of 10 MiB has a thousand pages. The library goes through all directories to find the first. */
export const maxDirectories = 2048;
/** Of all directories together, which may overlap. */
export const maxAllEntries = 200_000;
/** Of one directory that are looked at: levels of a pyramid, previews and raw data of a camera. */
const maxSubDirectories = 32;

/** NewSubfileType: of a smaller copy, and of a mask. */
const reducedBit = 1;
const maskBit = 4;
/** SubfileType of older files: a smaller copy. */
const reducedKind = 2;

/** The directories of a file, each behind the one that it belongs to. */
export interface TiffDirectories {
  readonly tables: readonly [TiffTable, ...TiffTable[]];
  /** Whether the file ends before all of them are read. */
  readonly isCut: boolean;
}

/**
 * Reads the chain of directories, which may be a ring, and their subdirectories.
 * @throws ERR_IMAGE_TOO_COSTLY for too many directories or entries, RangeError where the file ends within the first
 */
export function readDirectories(layout: TiffLayout, start: number): TiffDirectories {
  const first = readTable(layout, start);
  const tables: [TiffTable, ...TiffTable[]] = [first];
  const seen = new Set<number>([start]);
  let entries = first.entries;
  const read = (offset: number): TiffTable => {
    seen.add(offset);
    if (seen.size > maxDirectories) throw toTooMany('directories', maxDirectories);
    const table = readTable(layout, offset);
    entries += table.entries;
    if (entries > maxAllEntries) throw toTooMany('entries in its directories', maxAllEntries);
    tables.push(table);
    return table;
  };
  try {
    for (let page = first; ; page = read(page.next)) {
      const below = readNumbers(layout, page.fields.get(tiffTags.subDirectories), maxSubDirectories);
      for (const offset of below) if (!seen.has(offset)) read(offset);
      if (page.next === 0 || seen.has(page.next)) return { tables, isCut: false };
    }
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    return { tables, isCut: true };
  }
}

/**
 * The directory of the picture: the first, unless that is a smaller copy of another one or a mask.
 * @returns undefined where the file ends before the picture that it has a copy of
 */
export function findMain(layout: TiffLayout, { tables, isCut }: TiffDirectories): TiffTable | undefined {
  const read = (table: TiffTable, tag: TiffTag): number => readNumbers(layout, table.fields.get(tag), 1)[0] ?? 0;
  const isReduced = (table: TiffTable): boolean =>
    (read(table, tiffTags.newSubfileType) & reducedBit) !== 0 || read(table, tiffTags.subfileType) === reducedKind;
  const isMask = (table: TiffTable): boolean => (read(table, tiffTags.newSubfileType) & maskBit) !== 0;
  const toArea = (table: TiffTable): number => read(table, tiffTags.width) * read(table, tiffTags.height);
  const [first] = tables;
  const pictures = tables.filter((table) => !isMask(table));
  if (!isReduced(first) && !isMask(first)) return first;
  // A copy that is not smaller is none: viewers show the first one.
  const main = pictures.find((table) => !isReduced(table) && (isMask(first) || toArea(table) > toArea(first)));
  if (main !== undefined || isCut) return main;
  return pictures.reduce((largest, table) => (toArea(table) > toArea(largest) ? table : largest), pictures[0] ?? first);
}
