import type { Size } from '../types.ts';
import { type CodePoints, toTooMany, toView } from './header-facts.ts';

/** What an AV1 stream says of its frames (AV1 specification, 5.5). Sizes are the largest that a frame may have. */
export interface Av1Sequence extends Size {
  readonly bitDepth: number;
  readonly isMonochrome: boolean;
  /** Whether colour is stored at half of the width and the height. */
  readonly isSubsampled: boolean;
  readonly codePoints?: CodePoints;
}

/** What was found in the coded data of an item. */
export interface Av1Stream {
  readonly sequences: readonly Av1Sequence[];
  /** Coded frames, of which a decoder may keep eight. */
  readonly frames: number;
  readonly units: number;
}

/** Of all pictures of a file. Each has a sequence header and a frame, one in layers or of many tile groups tens of units. */
export const maxUnits = 20_000;

const sequenceHeader = 1;
const frameHeader = 3;
const wholeFrame = 6;

/**
 * Goes through the units of coded data (5.3).
 * @param unitsBefore of other pictures of the file
 * @throws ERR_IMAGE_TOO_COSTLY for too many units
 */
export function readAv1Stream(bytes: Uint8Array, unitsBefore: number): Av1Stream {
  const sequences: Av1Sequence[] = [];
  let frames = 0;
  let units = 0;
  for (let at = 0; at < bytes.length;) {
    units += 1;
    if (unitsBefore + units > maxUnits) throw toTooMany('units of AV1 data', maxUnits);
    const header = bytes[at] ?? 0;
    const start = at + ((header & 4) === 0 ? 1 : 2);
    const { value, next } =
      (header & 2) === 0 ? { value: bytes.length - start, next: start } : readLeb128(bytes, start);
    const end = Math.min(next + value, bytes.length);
    const type = (header >> 3) & 15;
    if (type === frameHeader || type === wholeFrame) frames += 1;
    const sequence = type === sequenceHeader ? tryReadSequence(bytes.subarray(next, end)) : undefined;
    if (sequence !== undefined) sequences.push(sequence);
    at = Math.max(end, at + 1);
  }
  return { sequences, frames, units };
}

function readLeb128(bytes: Uint8Array, from: number): { value: number; next: number } {
  let value = 0;
  for (let index = 0; index < 8; index += 1) {
    const byte = bytes[from + index] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return { value, next: from + index + 1 };
  }
  return { value, next: from + 8 };
}

function tryReadSequence(bytes: Uint8Array): Av1Sequence | undefined {
  try {
    return readSequence(createBitReader(bytes));
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

type ReadBits = (count: number) => number;

/** Reads numbers of up to 32 bits, most significant first; beyond the end a RangeError. */
function createBitReader(bytes: Uint8Array): ReadBits {
  const view = toView(bytes);
  let at = 0;
  return (count) => {
    let value = 0;
    for (let index = 0; index < count; index += 1) {
      value = value * 2 + ((view.getUint8(at >> 3) >> (7 - (at & 7))) & 1);
      at += 1;
    }
    return value;
  };
}

function readSequence(read: ReadBits): Av1Sequence {
  const profile = read(3);
  read(1);
  const isReduced = read(1) === 1;
  if (isReduced) read(5);
  else skipOperatingPoints(read);
  const [widthBits, heightBits] = [read(4) + 1, read(4) + 1];
  const [width, height] = [read(widthBits) + 1, read(heightBits) + 1];
  if (!isReduced && read(1) === 1) read(7);
  read(3);
  if (!isReduced) skipTools(read);
  read(3);
  const isDeep = read(1) === 1;
  const isDeepest = profile === 2 && isDeep && read(1) === 1;
  const isMonochrome = profile !== 1 && read(1) === 1;
  const codePoints = read(1) === 1 ? { primaries: read(8), transfer: read(8) } : undefined;
  const bitDepth = isDeepest ? 12 : isDeep ? 10 : 8;
  return { width, height, bitDepth, isMonochrome, isSubsampled: profile === 0, ...(codePoints && { codePoints }) };
}

function skipOperatingPoints(read: ReadBits): void {
  let delayBits = 0;
  const hasTiming = read(1) === 1;
  if (hasTiming) {
    read(32);
    read(32);
    if (read(1) === 1) skipUvlc(read);
    if (read(1) === 1) {
      delayBits = read(5) + 1;
      read(32);
      read(10);
    }
  }
  const hasDisplayDelay = read(1) === 1;
  for (let left = read(5) + 1; left > 0; left -= 1) {
    read(12);
    if (read(5) > 7) read(1);
    if (delayBits > 0 && read(1) === 1) {
      read(delayBits);
      read(delayBits);
      read(1);
    }
    if (hasDisplayDelay && read(1) === 1) read(4);
  }
}

function skipUvlc(read: ReadBits): void {
  let zeros = 0;
  while (zeros < 32 && read(1) === 0) zeros += 1;
  if (zeros < 32) read(zeros);
}

function skipTools(read: ReadBits): void {
  read(4);
  const hasOrderHint = read(1) === 1;
  if (hasOrderHint) read(2);
  const isScreenForced = read(1) === 1 || read(1) === 1;
  if (isScreenForced && read(1) === 0) read(1);
  if (hasOrderHint) read(3);
}
