import type { Coordinates, SampledShape, SamplingKernel } from './types.ts';

/** Samples of a line: the one at `index` is the weighted sum of `taps` pixels from `firsts[index]` on. */
export interface SampledLine {
  readonly count: number;
  readonly taps: number;
  readonly firsts: Int32Array;
  /** Row by row: those of each sample. */
  readonly weights: Float32Array;
}

/** A part of a line of pixels, and how many samples it becomes. */
interface Section {
  readonly start: number;
  readonly length: number;
  readonly count: number;
}

/** Weights of neighbouring pixels, from `lowest` on, which may lie before the first pixel. */
interface Taps {
  readonly lowest: number;
  readonly weights: readonly number[];
}

const tapsOf: Readonly<Record<SamplingKernel, number>> = { nearest: 1, bilinear: 2, bicubic: 4 };

/** Plans samples as TensorFlow's ResizeNearestNeighbor, ResizeBilinear and ResizeBicubic take them, without a low-pass. */
export function planLine({ start, length, count }: Section, shape: SampledShape): SampledLine {
  const { kernel, coordinates = 'half-pixel' } = shape;
  const taps = Math.min(tapsOf[kernel], length);
  const firsts = new Int32Array(count);
  const weights = new Float32Array(count * taps);
  const toTaps = createTaps(kernel, coordinates, length, count);
  for (let index = 0; index < count; index += 1) {
    const { lowest, weights: own } = toTaps(index);
    const first = clamp(lowest, 0, length - taps);
    firsts[index] = start + first;
    for (let tap = 0; tap < own.length; tap += 1) {
      const at = index * taps + clamp(lowest + tap, 0, length - 1) - first;
      weights[at] = (weights[at] ?? 0) + (own[tap] ?? 0);
    }
  }
  return { count, taps, firsts, weights };
}

/** Plans the same samples of a line of `length` pixels that is stored backwards. */
export function toMirrored({ count, taps, firsts, weights }: SampledLine, length: number): SampledLine {
  const mirrored = weights.map((_, at) => weights[at - (at % taps) + (taps - 1 - (at % taps))] ?? 0);
  return { count, taps, firsts: firsts.map((first) => length - taps - first), weights: mirrored };
}

/** Plans the same samples in the opposite order. */
export function toReversed({ count, taps, firsts, weights }: SampledLine): SampledLine {
  const toOther = (at: number): number => (count - 1 - Math.floor(at / taps)) * taps + (at % taps);
  return {
    count,
    taps,
    firsts: firsts.map((_, index) => firsts[count - 1 - index] ?? 0),
    weights: weights.map((_, at) => weights[toOther(at)] ?? 0),
  };
}

/** A line without the pixels that no sample uses. */
interface CompactLine {
  /** Of the pixels that are left. */
  readonly positions: Int32Array;
  readonly line: SampledLine;
}

/** Plans the same samples of a line that contains only the used pixels. */
export function toCompact(line: SampledLine): CompactLine {
  const { firsts, taps } = line;
  const used = new Set<number>();
  for (const first of firsts) {
    for (let tap = 0; tap < taps; tap += 1) used.add(first + tap);
  }
  const positions = Int32Array.from(used).sort();
  const places = new Map([...positions].map((position, place) => [position, place]));
  return { positions, line: { ...line, firsts: firsts.map((first) => places.get(first) ?? 0) } };
}

function createTaps(
  kernel: SamplingKernel,
  coordinates: Coordinates,
  length: number,
  count: number,
): (index: number) => Taps {
  const isAligned = coordinates === 'align-corners' && count > 1;
  // TensorFlow counts in 32 bits, which tells where a sample at the edge between two pixels goes.
  const step = Math.fround(isAligned ? (length - 1) / (count - 1) : length / count);
  const offset = coordinates === 'half-pixel' ? 0.5 : 0;
  const toPosition = (index: number): number => Math.fround((index + offset) * step);
  switch (kernel) {
    case 'nearest':
      return (index) => {
        const position = toPosition(index);
        return { lowest: isAligned ? Math.round(position) : Math.floor(position), weights: [1] };
      };
    case 'bilinear':
      return (index) => {
        const { lowest, share } = split(Math.fround(toPosition(index) - offset));
        return { lowest, weights: [1 - share, share] };
      };
    case 'bicubic':
      return (index) => {
        const { lowest, share } = split(Math.fround(toPosition(index) - offset));
        const taps = { lowest: lowest - 1, weights: toCubic(share, coordinates === 'half-pixel' ? -0.5 : -0.75) };
        return coordinates === 'half-pixel' ? toInside(taps, length) : taps;
      };
  }
}

function split(position: number): { lowest: number; share: number } {
  const lowest = Math.floor(position);
  return { lowest, share: position - lowest };
}

/** Keys' cubic convolution (1981): weights of the four pixels around a position between the second and the third. */
function toCubic(share: number, a: number): number[] {
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(share + 1), near(share), near(1 - share), far(2 - share)];
}

/** With half-pixel centres TensorFlow omits pixels beyond the ends; otherwise it repeats the pixel at the end. */
function toInside(taps: Taps, length: number): Taps {
  const { lowest, weights } = taps;
  if (lowest >= 0 && lowest + weights.length <= length) return taps;
  const inside = weights.map((weight, tap) => (lowest + tap >= 0 && lowest + tap < length ? weight : 0));
  const sum = inside.reduce((total, weight) => total + weight, 0);
  return { lowest, weights: inside.map((weight) => weight / sum) };
}

function clamp(value: number, lowest: number, highest: number): number {
  return Math.min(highest, Math.max(lowest, value));
}
