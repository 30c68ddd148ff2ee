import type { ImageFormat } from '../src/image/types.ts';

/** Nothing here encodes HEIC, which is off by default. */
export type FuzzedFormat = Exclude<ImageFormat, 'heic'>;

/** A part of a container that tells its own length. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly length: NumberField;
}

/** Where a number is in the bytes, and how it is written. */
export interface NumberField {
  readonly at: number;
  readonly bytes: 1 | 2 | 4;
  readonly isLittleEndian: boolean;
}

const maxChunks = 2000;

/** Lists the chunks of a container as far as they can be followed; damaged ones end early. */
export function listChunks(bytes: Buffer, format: FuzzedFormat): Chunk[] {
  const chunks: Chunk[] = [];
  for (const chunk of walkers[format](bytes)) {
    if (chunk.end > bytes.length || chunks.length >= maxChunks) break;
    chunks.push(chunk);
  }
  return chunks;
}

const walkers: Readonly<Record<FuzzedFormat, (bytes: Buffer) => Iterable<Chunk>>> = {
  jpeg: walkSegments,
  png: (bytes) => walkTagged(bytes, { from: 8, lengthOffset: 0, isLittleEndian: false, extra: () => 12 }),
  webp: (bytes) =>
    walkTagged(bytes, { from: 12, lengthOffset: 4, isLittleEndian: true, extra: (length) => 8 + (length % 2) }),
  avif: (bytes) => walkBoxes(bytes, 0, bytes.length),
  gif: walkBlocks,
  tiff: walkEntries,
};

/** Up to the entropy-coded data of the first scan (ITU-T T.81, B.1.1.4). */
function* walkSegments(bytes: Buffer): Iterable<Chunk> {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    yield { start: at, end, length: { at: at + 2, bytes: 2, isLittleEndian: false } };
    if (bytes[at + 1] === 0xda) return;
    at = end;
  }
}

interface Tagging {
  readonly from: number;
  readonly lengthOffset: number;
  readonly isLittleEndian: boolean;
  /** Bytes of a chunk beside those that its length counts. */
  readonly extra: (length: number) => number;
}

function* walkTagged(bytes: Buffer, { from, lengthOffset, isLittleEndian, extra }: Tagging): Iterable<Chunk> {
  for (let start = from; start + 8 <= bytes.length;) {
    const at = start + lengthOffset;
    const length = isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    const end = start + length + extra(length);
    yield { start, end, length: { at, bytes: 4, isLittleEndian } };
    start = end;
  }
}

/** Boxes with boxes in them, and the bytes before the first of those (ISO/IEC 14496-12). */
const containers: Readonly<Record<string, number>> = {
  meta: 12,
  iprp: 8,
  ipco: 8,
  iinf: 14,
  moov: 8,
  trak: 8,
  mdia: 8,
};

function* walkBoxes(bytes: Buffer, from: number, to: number): Iterable<Chunk> {
  for (let start = from; start + 8 <= to;) {
    const size = bytes.readUInt32BE(start);
    if (size < 8) return;
    const end = start + size;
    yield { start, end, length: { at: start, bytes: 4, isLittleEndian: false } };
    const before = containers[bytes.toString('latin1', start + 4, start + 8)];
    if (before !== undefined && end <= to) yield* walkBoxes(bytes, start + before, end);
    start = end;
  }
}

/** Extensions and frames (GIF89a); their length is that of their first sub-block. */
function* walkBlocks(bytes: Buffer): Iterable<Chunk> {
  for (let start = 13 + toTableBytes(bytes[10]); start + 10 < bytes.length;) {
    const isFrame = bytes[start] === 0x2c;
    if (!isFrame && bytes[start] !== 0x21) return;
    const first = start + (isFrame ? 11 + toTableBytes(bytes[start + 9]) : 2);
    let at = first;
    while (at < bytes.length && bytes[at] !== 0) at += 1 + (bytes[at] ?? 0);
    yield { start, end: at + 1, length: { at: first, bytes: 1, isLittleEndian: true } };
    start = at + 1;
  }
}

function toTableBytes(flags = 0): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

/** The entries of the first directory; their length is the count of their values (TIFF 6.0, section 2). */
function* walkEntries(bytes: Buffer): Iterable<Chunk> {
  if (bytes.length < 8) return;
  const isLittleEndian = bytes[0] === 0x49;
  const directory = isLittleEndian ? bytes.readUInt32LE(4) : bytes.readUInt32BE(4);
  if (directory + 2 > bytes.length) return;
  const count = isLittleEndian ? bytes.readUInt16LE(directory) : bytes.readUInt16BE(directory);
  for (let index = 0; index < count; index += 1) {
    const start = directory + 2 + 12 * index;
    yield { start, end: start + 12, length: { at: start + 4, bytes: 4, isLittleEndian } };
  }
}
