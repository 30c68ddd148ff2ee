import type { Size } from '../types.ts';
import { type Box, findBox, listBoxes } from './boxes.ts';
import { type ByteRange, toCode, toTooMany } from './header-facts.ts';

/** One item of a HEIF file: a coded picture, one that is put together from others, or metadata (ISO/IEC 23008-12). */
export interface HeifItem {
  readonly id: number;
  /** A four-character code: av01, grid, iovl, Exif … */
  readonly type: number;
  /** Where its data is, in the file or, with `isInner`, in the box idat. */
  readonly extents: readonly ByteRange[];
  readonly isInner: boolean;
  readonly properties: readonly Box[];
  /** Items that it is made of, in order, repetitions included. */
  readonly parts: readonly number[];
}

/** What the box meta says. */
export interface HeifItems {
  readonly primary: number | undefined;
  readonly items: readonly HeifItem[];
  readonly innerData: Box | undefined;
}

/** libheif reads no more. */
export const maxItems = 1000;
/** Extents, properties and parts of all items together: a picture of 100 megapixels has 400 tiles. */
export const maxItemParts = 20_000;

const codes = Object.fromEntries(
  (['pitm', 'iinf', 'infe', 'iloc', 'idat', 'iprp', 'ipco', 'ipma', 'iref', 'dimg'] as const).map((name) => [
    name,
    toCode(name),
  ]),
) as Readonly<Record<'pitm' | 'iinf' | 'infe' | 'iloc' | 'idat' | 'iprp' | 'ipco' | 'ipma' | 'iref' | 'dimg', number>>;

/** Reads numbers one after the other. @throws RangeError beyond the end */
class Cursor {
  readonly #view: DataView;
  at: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.at = at;
  }

  /** @param bytes of the number: 0, 1, 2, 4 or 8 */
  read(bytes: number): number {
    let value = 0;
    for (let index = 0; index < bytes; index += 1) value = value * 256 + this.#view.getUint8(this.at + index);
    this.at += bytes;
    return value;
  }
}

/**
 * Reads the items of a file.
 * @throws ERR_IMAGE_TOO_COSTLY for too many, RangeError where the file ends within a header
 */
export function readItems(view: DataView, meta: Box): HeifItems {
  const boxes = listBoxes(view, { start: meta.start + 4, end: Math.min(meta.end, view.byteLength) });
  const types = readTypes(view, findBox(boxes, codes.iinf));
  const budget = createBudget();
  const places = readPlaces(view, findBox(boxes, codes.iloc), budget);
  const properties = readProperties(view, findBox(boxes, codes.iprp), budget);
  const parts = readParts(view, findBox(boxes, codes.iref), budget);
  const items = [...types].map(([id, type]) => ({
    id,
    type,
    ...(places.get(id) ?? { extents: [], isInner: false }),
    properties: properties.get(id) ?? [],
    parts: parts.get(id) ?? [],
  }));
  return { primary: readPrimary(view, findBox(boxes, codes.pitm)), items, innerData: findBox(boxes, codes.idat) };
}

/** Counts parts of items. */
type Budget = (count: number) => void;

function createBudget(): Budget {
  let left = maxItemParts;
  return (count) => {
    left -= count;
    if (left < 0) throw toTooMany('parts', maxItemParts);
  };
}

function readPrimary(view: DataView, box: Box | undefined): number | undefined {
  return box && new Cursor(view, box.start + 4).read(view.getUint8(box.start) === 0 ? 2 : 4);
}

function readTypes(view: DataView, box: Box | undefined): Map<number, number> {
  const types = new Map<number, number>();
  if (box === undefined) return types;
  const countBytes = view.getUint8(box.start) === 0 ? 2 : 4;
  const entries = listBoxes(view, { start: box.start + 4 + countBytes, end: Math.min(box.end, view.byteLength) });
  if (entries.length > maxItems) throw toTooMany('items', maxItems);
  for (const entry of entries) {
    if (entry.type !== codes.infe) continue;
    const cursor = new Cursor(view, entry.start + 4);
    const id = cursor.read(view.getUint8(entry.start) === 3 ? 4 : 2);
    cursor.read(2);
    types.set(id, cursor.read(4));
  }
  return types;
}

function readPlaces(view: DataView, box: Box | undefined, spend: Budget) {
  const places = new Map<number, Pick<HeifItem, 'extents' | 'isInner'>>();
  if (box === undefined) return places;
  const version = view.getUint8(box.start);
  const cursor = new Cursor(view, box.start + 4);
  const sizes = cursor.read(2);
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = version === 0 ? 0 : sizes & 15;
  const idBytes = version < 2 ? 2 : 4;
  for (let left = cursor.read(idBytes); left > 0; left -= 1) {
    const id = cursor.read(idBytes);
    const isInner = version > 0 && (cursor.read(2) & 15) === 1;
    cursor.read(2);
    const base = cursor.read(baseBytes);
    const count = cursor.read(2);
    spend(1 + count);
    const extents = Array.from({ length: count }, () => {
      cursor.read(indexBytes);
      const start = base + cursor.read(offsetBytes);
      const length = cursor.read(lengthBytes);
      return { start, end: length === 0 ? Infinity : start + length };
    });
    places.set(id, { extents, isInner });
  }
  return places;
}

function readProperties(view: DataView, box: Box | undefined, spend: Budget): Map<number, Box[]> {
  const properties = new Map<number, Box[]>();
  if (box === undefined) return properties;
  const boxes = listBoxes(view, { start: box.start, end: Math.min(box.end, view.byteLength) });
  const container = findBox(boxes, codes.ipco);
  if (container === undefined) return properties;
  const all = listBoxes(view, { start: container.start, end: Math.min(container.end, view.byteLength) });
  for (const { type, start } of boxes) {
    if (type !== codes.ipma) continue;
    const cursor = new Cursor(view, start + 4);
    const [idBytes, isWide] = [view.getUint8(start) === 0 ? 2 : 4, (view.getUint8(start + 3) & 1) === 1];
    for (let left = cursor.read(4); left > 0; left -= 1) {
      const id = cursor.read(idBytes);
      const count = cursor.read(1);
      spend(1 + count);
      const indices = Array.from({ length: count }, () => (isWide ? cursor.read(2) & 0x7fff : cursor.read(1) & 0x7f));
      const known = properties.get(id) ?? [];
      known.push(...indices.flatMap((index) => all[index - 1] ?? []));
      properties.set(id, known);
    }
  }
  return properties;
}

function readParts(view: DataView, box: Box | undefined, spend: Budget): Map<number, number[]> {
  const parts = new Map<number, number[]>();
  if (box === undefined) return parts;
  const idBytes = view.getUint8(box.start) === 0 ? 2 : 4;
  for (const { type, start } of listBoxes(view, { start: box.start + 4, end: Math.min(box.end, view.byteLength) })) {
    if (type !== codes.dimg) continue;
    const cursor = new Cursor(view, start);
    const from = cursor.read(idBytes);
    const count = cursor.read(2);
    spend(1 + count);
    parts.set(
      from,
      Array.from({ length: count }, () => cursor.read(idBytes)),
    );
  }
  return parts;
}

/** The size that an item claims (ispe). */
export function readExtents(view: DataView, item: HeifItem): Size | undefined {
  const box = findBox(item.properties, extents);
  return box && { width: view.getUint32(box.start + 4), height: view.getUint32(box.start + 8) };
}

const extents = toCode('ispe');
