import { crc32 } from 'node:zlib';
import type { Random } from '../src/train/samples/random.ts';
import type { FuzzedFormat } from './chunks.ts';
import { type Chunk, listChunks, type NumberField } from './chunks.ts';

/** The source of a mutation. */
export interface MutationSource {
  readonly random: Random;
  readonly format: FuzzedFormat;
  /** Another picture of the format, which parts are taken from. */
  readonly donor: Buffer;
}

type Mutation = (bytes: Buffer, source: MutationSource) => Buffer;

/** Inputs grow by copies of themselves; beyond this they are cut. */
const maxBytes = 2 ** 20;
const maxMutations = 4;
const edges = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];

/**
 * Changes a picture by one to four mutations, mostly one: more seldom get past a header.
 * @returns the same bytes for the same numbers, and never those of the picture itself
 */
export function mutate(bytes: Buffer, source: MutationSource): Buffer {
  const { random, format } = source;
  let mutated = bytes;
  for (let left = 1 + Math.floor(maxMutations * random() ** 3); left > 0; left -= 1) {
    mutated = pick(random, mutations)(mutated, source).subarray(0, maxBytes);
  }
  // Most of a decoder is behind the check of these sums.
  if (format === 'png' && random() < 0.7) mutated = withSums(mutated);
  return mutated.equals(bytes) ? flipBits(mutated, source) : mutated;
}

const mutations: readonly Mutation[] = [
  flipBits,
  flipBits,
  setBytes,
  setBytes,
  setNumber,
  truncate,
  eraseBlock,
  copyBlock,
  dropBlock,
  splice,
  setLength,
  setLength,
  duplicateChunk,
  dropChunk,
  garbleChunk,
];

/** Draws a whole number below `count`. */
export function drawIndex(random: Random, count: number): number {
  return Math.floor(random() * count);
}

/** Draws one of the items. */
export function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[drawIndex(random, items.length)];
  if (item === undefined) throw new Error('nothing to draw from');
  return item;
}

function flipBits(bytes: Buffer, { random }: MutationSource): Buffer {
  const copy = bytes.length === 0 ? Buffer.alloc(1) : Buffer.from(bytes);
  const flipped = new Set<number>();
  for (let left = 1 + drawIndex(random, 8); left > 0; left -= 1) flipped.add(drawIndex(random, copy.length * 8));
  for (const bit of flipped) copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

function setBytes(bytes: Buffer, { random }: MutationSource): Buffer {
  const copy = Buffer.from(bytes);
  for (let left = 1 + drawIndex(random, 4); left > 0 && copy.length > 0; left -= 1) {
    copy[drawIndex(random, copy.length)] = random() < 0.5 ? pick(random, edges) : drawIndex(random, 256);
  }
  return copy;
}

/** At any offset: sizes, offsets and counts are spread over a header. */
function setNumber(bytes: Buffer, { random }: MutationSource): Buffer {
  const size = random() < 0.5 ? 2 : 4;
  if (bytes.length < size) return bytes;
  // Headers are at the front.
  const at = drawIndex(random, Math.min(bytes.length - size + 1, random() < 0.7 ? 256 : Infinity));
  return withNumber(bytes, { at, bytes: size, isLittleEndian: random() < 0.5 }, random);
}

function truncate(bytes: Buffer, { random }: MutationSource): Buffer {
  return bytes.subarray(0, drawIndex(random, bytes.length));
}

interface Block {
  readonly start: number;
  readonly end: number;
}

function drawBlock(bytes: Buffer, random: Random): Block {
  const start = drawIndex(random, bytes.length);
  const length = 1 + Math.floor((bytes.length - start) * random() ** 3);
  return { start, end: Math.min(bytes.length, start + length) };
}

function eraseBlock(bytes: Buffer, { random }: MutationSource): Buffer {
  const { start, end } = drawBlock(bytes, random);
  return Buffer.from(bytes).fill(pick(random, edges), start, end);
}

function copyBlock(bytes: Buffer, { random, donor }: MutationSource): Buffer {
  const from = random() < 0.5 ? bytes : donor;
  const { start, end } = drawBlock(from, random);
  const copy = Buffer.from(bytes);
  copy.set(
    from.subarray(start, end).subarray(0, copy.length - Math.min(copy.length, start)),
    Math.min(copy.length, start),
  );
  return copy;
}

function dropBlock(bytes: Buffer, { random }: MutationSource): Buffer {
  return replace(bytes, drawBlock(bytes, random), Buffer.alloc(0));
}

/** The front of one picture, the rest of another. */
function splice(bytes: Buffer, { random, donor }: MutationSource): Buffer {
  const share = random();
  const cut = Math.floor(bytes.length * share);
  return Buffer.concat([bytes.subarray(0, cut), donor.subarray(Math.floor(donor.length * share))]);
}

function setLength(bytes: Buffer, { random, format }: MutationSource): Buffer {
  const chunk = drawChunk(bytes, format, random);
  return chunk === undefined ? bytes : withNumber(bytes, chunk.length, random);
}

function duplicateChunk(bytes: Buffer, { random, format, donor }: MutationSource): Buffer {
  const from = random() < 0.7 ? bytes : donor;
  const chunk = drawChunk(from, format, random);
  const place = drawChunk(bytes, format, random);
  if (chunk === undefined || place === undefined) return bytes;
  const once = from.subarray(chunk.start, chunk.end);
  const times = random() < 0.8 ? 1 : Math.min(1 + drawIndex(random, 200), Math.ceil(maxBytes / once.length));
  return replace(bytes, { start: place.start, end: place.start }, Buffer.alloc(once.length * times, once));
}

function dropChunk(bytes: Buffer, { random, format }: MutationSource): Buffer {
  const chunk = drawChunk(bytes, format, random);
  return chunk === undefined ? bytes : replace(bytes, chunk, Buffer.alloc(0));
}

function garbleChunk(bytes: Buffer, source: MutationSource): Buffer {
  const chunk = drawChunk(bytes, source.format, source.random);
  if (chunk === undefined) return bytes;
  return replace(bytes, chunk, setBytes(bytes.subarray(chunk.start, chunk.end), source));
}

function drawChunk(bytes: Buffer, format: FuzzedFormat, random: Random): Chunk | undefined {
  const chunks = listChunks(bytes, format);
  return chunks[drawIndex(random, chunks.length)];
}

function replace(bytes: Buffer, { start, end }: Block, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)]);
}

/** A number that is slightly off, at the edge of its range, or random. */
function withNumber(bytes: Buffer, { at, bytes: size, isLittleEndian }: NumberField, random: Random): Buffer {
  if (at + size > bytes.length) return bytes;
  const copy = Buffer.from(bytes);
  const largest = 2 ** (8 * size) - 1;
  const now = isLittleEndian ? copy.readUIntLE(at, size) : copy.readUIntBE(at, size);
  const near = now + 1 + drawIndex(random, 4) * (random() < 0.5 ? 1 : -1);
  const candidates = [
    near,
    near,
    0,
    1,
    largest,
    (largest + 1) / 2,
    (largest - 1) / 2,
    bytes.length,
    random() * largest,
  ];
  const value = Math.min(largest, Math.max(0, Math.floor(pick(random, candidates))));
  if (isLittleEndian) copy.writeUIntLE(value, at, size);
  else copy.writeUIntBE(value, at, size);
  return copy;
}

function withSums(png: Buffer): Buffer {
  const copy = Buffer.from(png);
  for (const { start, end } of listChunks(copy, 'png')) {
    copy.writeUInt32BE(crc32(copy.subarray(start + 4, end - 4)), end - 4);
  }
  return copy;
}
