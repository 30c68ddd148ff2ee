import { toSegment } from '../containers.ts';
import { side } from './format-row.ts';

/** A JPEG that no library at hand writes: flat blocks, or lossless samples, all components of one size. */
export interface JpegKind {
  /** Marker of the frame header. */
  readonly coding?: number;
  readonly bitDepth?: number;
  /** Identifiers of the components. */
  readonly components: readonly number[];
  /** Samples of a pixel, one for each component. */
  readonly toSamples: (x: number, y: number) => readonly number[];
  /** Segments that follow the start of the image. */
  readonly segments?: readonly Buffer[];
  /** Of a lossless one, 1…7. */
  readonly predictor?: number;
}

const lossless = 0xc3;
const blockSide = 8;
/** Quantised by this, the first coefficient of a flat block is its sample less the middle. */
const quantum = 8;
const acFree = '0';

/** An Adobe segment; `transform` is 0 for RGB and CMYK, 1 for YCbCr, 2 for YCCK. */
export function toAdobeSegment(transform: number): Buffer {
  return toSegment(0xee, Buffer.concat([Buffer.from('Adobe\0\x64\0\0\0\0', 'latin1'), Buffer.of(transform)]));
}

/** Writes a JPEG of `side` by `side` pixels. */
export function writeJpeg(kind: JpegKind): Buffer {
  const { coding = 0xc0, bitDepth = 8, components, segments = [], predictor = 1 } = kind;
  const isLossless = coding === lossless;
  const frame = Buffer.of(bitDepth, side >> 8, side & 255, side >> 8, side & 255, components.length);
  const parts = components.flatMap((id) => [id, 0x11, 0]);
  const scan = [components.length, ...components.flatMap((id) => [id, 0])];
  const spectrum = isLossless ? [predictor, 0, 0] : [0, 63, 0];
  const categories = isLossless ? 17 : 12;
  const bits = isLossless ? codeSamples(kind, bitDepth, predictor) : codeBlocks(kind, bitDepth);
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    ...segments,
    toSegment(0xdb, Buffer.concat([Buffer.of(0), Buffer.alloc(64, quantum)])),
    toSegment(coding, Buffer.concat([frame, Buffer.from(parts)])),
    // Codes of five bits: each category of differences is its own code.
    toSegment(
      0xc4,
      Buffer.from([0, 0, 0, 0, 0, categories, ...Array<number>(11).fill(0), ...Array(categories).keys()]),
    ),
    // The only code for the other coefficients: there are none.
    toSegment(0xc4, Buffer.from([0x10, 1, ...Array<number>(15).fill(0), 0])),
    toSegment(0xda, Buffer.from([...scan, ...spectrum])),
    pack(bits.join('')),
    Buffer.of(0xff, 0xd9),
  ]);
}

function codeBlocks({ toSamples }: JpegKind, bitDepth: number): string[] {
  const bits: string[] = [];
  const before: number[] = [];
  for (let y = 0; y < side; y += blockSide) {
    for (let x = 0; x < side; x += blockSide) {
      for (const [component, sample] of toSamples(x, y).entries()) {
        const level = sample - 2 ** (bitDepth - 1);
        bits.push(toCode(level - (before[component] ?? 0)), acFree);
        before[component] = level;
      }
    }
  }
  return bits;
}

/** Differences from what is predicted (ITU-T T.81, annex H). */
function codeSamples({ toSamples }: JpegKind, bitDepth: number, predictor: number): string[] {
  const bits: string[] = [];
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      for (const [component, sample] of toSamples(x, y).entries()) {
        const near = (left: number, up: number): number => toSamples(x - left, y - up)[component] ?? 0;
        bits.push(toCode(sample - predict(x, y, bitDepth, predictor, near)));
      }
    }
  }
  return bits;
}

function predict(
  x: number,
  y: number,
  bitDepth: number,
  predictor: number,
  near: (left: number, up: number) => number,
): number {
  if (x === 0 && y === 0) return 2 ** (bitDepth - 1);
  if (y === 0) return near(1, 0);
  if (x === 0) return near(0, 1);
  const [left, up, corner] = [near(1, 0), near(0, 1), near(1, 1)];
  const predictions = [0, left, up, corner, left + up - corner, left + ((up - corner) >> 1)];
  return predictions[predictor] ?? (predictor === 6 ? up + ((left - corner) >> 1) : (left + up) >> 1);
}

/** The category of a difference, then its bits (F.1.2.1). */
function toCode(difference: number): string {
  const category = difference === 0 ? 0 : 1 + Math.floor(Math.log2(Math.abs(difference)));
  const value = difference < 0 ? difference + 2 ** category - 1 : difference;
  const bits = category === 0 ? '' : value.toString(2).padStart(category, '0');
  return category.toString(2).padStart(5, '0') + bits;
}

/** Fills the last byte with ones, and stuffs a zero behind each byte of ones (F.1.2.3). */
function pack(bits: string): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < bits.length; at += 8) {
    const byte = parseInt(bits.slice(at, at + 8).padEnd(8, '1'), 2);
    bytes.push(byte);
    if (byte === 0xff) bytes.push(0);
  }
  return Buffer.from(bytes);
}
