import { crc32 } from 'node:zlib';
import type { Chromaticity, Primaries } from '../colour/primaries.ts';
import { type CodePoints, toCode } from './header-facts.ts';

/** What chunks of a PNG say of its colours, as far as they are whole and valid (PNG, third edition, 11.3.2). */
export interface PngColour {
  /** gAMA: the power of light that is stored. */
  readonly gamma?: number;
  /** cHRM */
  readonly primaries?: Primaries;
  /** Whether there is an sRGB chunk. */
  readonly isStandard?: boolean;
  /** cICP */
  readonly codePoints?: CodePoints;
  /** Whether samples leave room below black and above white, as in video. */
  readonly isNarrow?: boolean;
}

/** libpng takes no others, in the unit of the chunk. */
const [minGamma, maxGamma] = [16, 625_000_000];
const unit = 100_000;

type ChunkReader = (view: DataView, data: number) => PngColour;

const readers: ReadonlyMap<number, { readonly length: number; readonly read: ChunkReader }> = new Map([
  [toCode('gAMA'), { length: 4, read: readGamma }],
  [toCode('cHRM'), { length: 32, read: readPrimaries }],
  [toCode('sRGB'), { length: 1, read: () => ({ isStandard: true }) }],
  [toCode('cICP'), { length: 4, read: readCodePoints }],
]);

/** Reads the chunk at an offset; nothing where it is not about colours, or damaged. */
export function readColourChunk(view: DataView, at: number): PngColour {
  const reader = readers.get(view.getUint32(at + 4));
  if (reader?.length !== view.getUint32(at)) return {};
  const [start, end] = [at + 4, at + 8 + reader.length];
  const bytes = new Uint8Array(view.buffer, view.byteOffset + start, end - start);
  return crc32(bytes) === view.getUint32(end) ? reader.read(view, at + 8) : {};
}

function readGamma(view: DataView, data: number): PngColour {
  const gamma = view.getUint32(data);
  return gamma >= minGamma && gamma <= maxGamma ? { gamma: gamma / unit } : {};
}

function readPrimaries(view: DataView, data: number): PngColour {
  const read = (index: number): Chromaticity => [
    view.getUint32(data + 8 * index) / unit,
    view.getUint32(data + 8 * index + 4) / unit,
  ];
  return { primaries: { white: read(0), red: read(1), green: read(2), blue: read(3) } };
}

/** A PNG is RGB: there is no matrix but that of 0. */
function readCodePoints(view: DataView, data: number): PngColour {
  const [primaries, transfer, matrix] = [view.getUint8(data), view.getUint8(data + 1), view.getUint8(data + 2)];
  return matrix === 0 ? { codePoints: { primaries, transfer }, isNarrow: view.getUint8(data + 3) === 0 } : {};
}
