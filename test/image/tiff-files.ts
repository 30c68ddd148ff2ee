import { deflateSync } from 'node:zlib';
import { decodeImage } from '../../src/image/decode.ts';
import { assertColour, type Colour, limits, pixelAt } from './fixtures.ts';

/** Types of fields, by what a value of them takes. */
const types = { ascii: 2, short: 3, long: 4, rational: 5 } as const;
const typeBytes: Readonly<Record<number, number>> = { 2: 1, 3: 2, 4: 4, 5: 8 };

/** A field of a directory: shorts unless `type` says otherwise; rationals are rounded to thousandths. */
export interface Field {
  readonly tag: number;
  readonly type?: keyof typeof types;
  readonly values: readonly number[];
}

/** A directory and the strips, tiles or planes of its picture; `below` are its subdirectories. */
export interface Page {
  readonly fields: readonly Field[];
  readonly blocks: readonly Uint8Array[];
  readonly isTiled?: boolean;
  readonly below?: readonly Page[];
}

/** Where the parts of a file go. */
class TiffWriter {
  readonly isBig: boolean;
  #bytes: Buffer;

  constructor(isBig: boolean) {
    this.isBig = isBig;
    this.#bytes = Buffer.from(isBig ? 'II+\0\x08\0\0\0' : 'II*\0', 'latin1');
    this.append(Buffer.alloc(isBig ? 8 : 4));
  }

  append(part: Uint8Array): number {
    const at = this.#bytes.length + (this.#bytes.length % 2);
    this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(at - this.#bytes.length), part]);
    return at;
  }

  writeOffset(at: number, offset: number): void {
    this.#bytes.writeUInt32LE(offset, at);
  }

  take(): Buffer {
    return this.#bytes;
  }
}

/** A TIFF of pages, in little-endian order. */
export function writeTiff(pages: readonly Page[], isBig = false): Buffer {
  const writer = new TiffWriter(isBig);
  let linkAt = isBig ? 8 : 4;
  for (const page of pages) {
    const { at, nextAt } = writePage(writer, page);
    writer.writeOffset(linkAt, at);
    linkAt = nextAt;
  }
  return writer.take();
}

function writePage(writer: TiffWriter, { fields, blocks, isTiled = false, below = [] }: Page) {
  const offsets = blocks.map((block) => writer.append(block));
  const subOffsets = below.map((page) => writePage(writer, page).at);
  const all: Field[] = [
    ...fields,
    { tag: isTiled ? 324 : 273, type: 'long', values: offsets },
    { tag: isTiled ? 325 : 279, type: 'long', values: blocks.map(({ length }) => length) },
    ...(below.length > 0 ? [{ tag: 330, type: 'long', values: subOffsets } as const] : []),
  ];
  const { isBig } = writer;
  const [headBytes, entryBytes, wordBytes] = isBig ? [8, 20, 8] : [2, 12, 4];
  const directory = Buffer.alloc(headBytes + all.length * entryBytes + wordBytes);
  directory.writeUInt16LE(all.length, 0);
  all
    .toSorted((a, b) => a.tag - b.tag)
    .forEach(({ tag, type = 'short', values }, index) => {
      const at = headBytes + index * entryBytes;
      const data = toValues(types[type], values);
      directory.writeUInt16LE(tag, at);
      directory.writeUInt16LE(types[type], at + 2);
      directory.writeUInt32LE(values.length, at + 4);
      if (data.length <= wordBytes) directory.set(data, at + (isBig ? 12 : 8));
      else directory.writeUInt32LE(writer.append(data), at + (isBig ? 12 : 8));
    });
  const at = writer.append(directory);
  return { at, nextAt: at + directory.length - wordBytes };
}

function toValues(type: number, values: readonly number[]): Buffer {
  const data = Buffer.alloc(values.length * (typeBytes[type] ?? 1));
  values.forEach((value, index) => {
    if (type === types.ascii) data.writeUInt8(value, index);
    if (type === types.short) data.writeUInt16LE(value, index * 2);
    if (type === types.long) data.writeUInt32LE(value, index * 4);
    if (type !== types.rational) return;
    data.writeUInt32LE(Math.round(value * 1000), index * 8);
    data.writeUInt32LE(1000, index * 8 + 4);
  });
  return data;
}

/** How a picture is stored. */
export interface Kind {
  readonly photometric: number;
  readonly bits: number;
  /** The samples of a pixel. */
  readonly toSamples: (colour: Colour) => readonly number[];
  readonly more?: readonly Field[];
  /** Of a sample; 1 is unsigned, 2 signed, 3 floating point. */
  readonly format?: number;
}

/** The four colours that pictures of `drawPage` have in their quarters. */
export const quarters: readonly Colour[] = [
  [200, 60, 30],
  [40, 160, 60],
  [40, 70, 190],
  [220, 200, 90],
];

/** A page of four colours, in one deflated strip; `toColours` changes them first. */
export function drawPage(kind: Kind, width = 64, height = 48, colours: readonly Colour[] = quarters): Page {
  const sampled = colours.map((colour) => kind.toSamples(colour));
  const count = sampled[0]?.length ?? 0;
  const rows = Array.from({ length: height }, (_, y) =>
    packRow(
      Array.from({ length: width }, (_, x) => sampled[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)] ?? []).flat(),
      kind,
    ),
  );
  return {
    fields: [...toFields(kind, width, height, count), { tag: 278, values: [height] }],
    blocks: [deflateSync(Buffer.concat(rows))],
  };
}

/** The fields of a picture that is deflated. */
export function toFields(kind: Kind, width: number, height: number, samples: number): Field[] {
  return [
    { tag: 256, values: [width] },
    { tag: 257, values: [height] },
    { tag: 258, values: Array.from({ length: samples }, () => kind.bits) },
    { tag: 259, values: [8] },
    { tag: 262, values: [kind.photometric] },
    { tag: 277, values: [samples] },
    ...(kind.format === undefined
      ? []
      : [{ tag: 339, values: Array.from({ length: samples }, () => kind.format ?? 1) }]),
    ...(kind.more ?? []),
  ];
}

function packRow(samples: readonly number[], { bits, format = 1 }: Kind): Buffer {
  if (bits < 8) {
    const text = samples.map((sample) => sample.toString(2).padStart(bits, '0')).join('');
    return Buffer.from((text.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
  }
  const row = Buffer.alloc((samples.length * bits) / 8);
  samples.forEach((sample, index) => {
    if (format === 3) row.writeFloatLE(sample, index * 4);
    else if (format === 2) row.writeIntLE(sample, (index * bits) / 8, bits / 8);
    else row.writeUIntLE(sample, (index * bits) / 8, bits / 8);
  });
  return row;
}

/** What files are decoded to for looking at their quarters. */
export const shape = { width: 32, height: 24, resize: 'stretch' } as const;

/** Fails unless the quarters of a picture have the colours. */
export async function assertQuarters(
  bytes: Buffer,
  about: string,
  { colours = quarters, tolerance = 3 } = {},
): Promise<void> {
  const raster = await decodeImage(bytes, shape, limits);
  for (const [index, colour] of colours.entries()) {
    const pixel = pixelAt(raster, shape.width, index % 2 === 0 ? 8 : 24, index < 2 ? 6 : 18);
    assertColour(pixel, colour, tolerance, `${about}, quarter ${String(index)}`);
  }
}

export const rgb: Kind = { photometric: 2, bits: 8, toSamples: (colour) => colour };
export const grey: Kind = { photometric: 1, bits: 8, toSamples: ([value]) => [value] };

/** The same page, which says that it is compressed in another way. */
export function toCompressed(page: Page, compression: number): Page {
  return { ...page, fields: [...page.fields.filter(({ tag }) => tag !== 259), { tag: 259, values: [compression] }] };
}
