import { deflateSync } from 'node:zlib';
import { pngSignature, toChunk } from '../fixtures.ts';
import { side } from './format-row.ts';

/** A PNG as no library at hand writes it. */
export interface PngKind {
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
  readonly colourType: 0 | 2 | 3 | 4 | 6;
  readonly bitDepth: 1 | 2 | 4 | 8 | 16;
  /** Samples of a pixel, or its index. */
  readonly toSamples: (x: number, y: number) => readonly number[];
  /** Chunks between the header and the pixels. */
  readonly chunks?: readonly Buffer[];
}

/** Writes a PNG of `side` by `side` pixels. */
export function writePng({ colourType, bitDepth, toSamples, chunks = [] }: PngKind): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.writeUInt8(bitDepth, 8);
  header.writeUInt8(colourType, 9);
  const rows = Array.from({ length: side }, (_, y) => toRow(y, bitDepth, toSamples));
  return Buffer.concat([
    pngSignature,
    toChunk('IHDR', header),
    ...chunks,
    toChunk('IDAT', deflateSync(Buffer.concat(rows))),
    toChunk('IEND'),
  ]);
}

/** A row without a filter; samples of fewer than eight bits share bytes, the first at the top. */
function toRow(y: number, bitDepth: number, toSamples: PngKind['toSamples']): Buffer {
  const samples = Array.from({ length: side }, (_, x) => toSamples(x, y)).flat();
  if (bitDepth === 16) return Buffer.from([0, ...samples.flatMap((sample) => [sample >> 8, sample & 255])]);
  const shared = 8 / bitDepth;
  const bytes = Array.from({ length: Math.ceil(samples.length / shared) }, (_, at) =>
    samples.slice(at * shared, (at + 1) * shared).reduce((byte, sample) => (byte << bitDepth) | sample, 0),
  );
  return Buffer.from([0, ...bytes]);
}

/** A chunk of 32-bit numbers. */
export function toNumbersChunk(type: string, ...numbers: readonly number[]): Buffer {
  const data = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) data.writeUInt32BE(number, 4 * index);
  return toChunk(type, data);
}

/** A gAMA chunk. */
export function toGammaChunk(gamma: number): Buffer {
  return toNumbersChunk('gAMA', Math.round(gamma * 100_000));
}

/** A cICP chunk; samples of narrow range leave room below black and above white. */
export function toCodePointsChunk(primaries: number, transfer: number, range: 'full' | 'narrow' = 'full'): Buffer {
  return toChunk('cICP', Buffer.of(primaries, transfer, 0, range === 'full' ? 1 : 0));
}
