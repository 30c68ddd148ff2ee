import { hasMagic, toLatin1 } from '../signature.ts';
import { readNumbers, type TiffField, type TiffLayout, type TiffTable, tiffTags } from './tiff-fields.ts';

/** Colour filter arrays, and linear data of sensors (TIFF/EP; DNG 1.6). */
const rawPhotometrics = new Set([32_803, 34_892]);
/** Of Sony, Nikon, Samsung, lossy DNG, Kodak, Pentax. */
const rawCompressions = new Set([32_767, 32_769, 32_770, 34_713, 34_892, 65_000, 65_535]);

/** What files of a maker are called. */
const makers: readonly (readonly [maker: RegExp, name: string])[] = [
  [/^nikon/i, 'NEF'],
  [/^sony/i, 'ARW'],
  [/^(pentax|ricoh)/i, 'PEF'],
  [/^hasselblad/i, '3FR'],
  [/^samsung/i, 'SRW'],
  [/^epson/i, 'ERF'],
  [/^mamiya/i, 'MEF'],
  [/^leaf/i, 'MOS'],
  [/^phase one/i, 'IIQ'],
  [/^kodak/i, 'DCR'],
];
const maxMakerBytes = 16;

/** What a TIFF is called that holds the raw data of a camera; undefined for pictures. */
export function nameCameraRaw(layout: TiffLayout, tables: readonly TiffTable[]): string | undefined {
  const bytes = new Uint8Array(layout.view.buffer, layout.view.byteOffset, layout.view.byteLength);
  if (tables.some(({ fields }) => fields.has(tiffTags.dngVersion))) return 'DNG';
  if (hasMagic(bytes, 'CR', 8) && !layout.isBig) return 'CR2';
  if (hasMagic(bytes, 'IIII', 8) || hasMagic(bytes, 'MMMM', 8)) return 'IIQ';
  const read = (field: TiffField | undefined): number => readNumbers(layout, field, 1)[0] ?? 0;
  const isRaw = tables.some(
    ({ fields }) =>
      rawPhotometrics.has(read(fields.get(tiffTags.photometric))) ||
      rawCompressions.has(read(fields.get(tiffTags.compression))),
  );
  if (!isRaw) return undefined;
  const maker = toMaker(layout, tables);
  return makers.find(([pattern]) => pattern.test(maker))?.[1] ?? 'TIFF';
}

function toMaker(layout: TiffLayout, tables: readonly TiffTable[]): string {
  const field = tables.find(({ fields }) => fields.has(tiffTags.maker))?.fields.get(tiffTags.maker);
  return toLatin1(Uint8Array.from(readNumbers(layout, field, maxMakerBytes))).trim();
}
