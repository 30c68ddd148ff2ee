import { takeBytes } from './byte-pool.ts';
import type { Size } from './types.ts';

/**
 * Copies the pixels of `from` that a centred window of `to` covers; the rest is black.
 * @param pixels - uint8 [from.height, from.width, 3]
 * @returns uint8 [to.height, to.width, 3], in memory of its own, from the pool.
 */
export function placeCentred(pixels: Uint8Array, from: Size, to: Size): Uint8Array {
  const raster = takeBytes(to.width * to.height * 3);
  if (from.width < to.width || from.height < to.height) raster.fill(0);
  const columns = Math.min(from.width, to.width);
  const left = toOffsets(from.width, to.width);
  const top = toOffsets(from.height, to.height);
  for (let row = 0; row < Math.min(from.height, to.height); row += 1) {
    const start = ((row + top.from) * from.width + left.from) * 3;
    raster.set(pixels.subarray(start, start + columns * 3), ((row + top.to) * to.width + left.to) * 3);
  }
  return raster;
}

/** Where the shared pixels begin in each. An odd one goes where sharp puts it. */
function toOffsets(from: number, to: number): { from: number; to: number } {
  return from > to ? { from: Math.ceil((from - to) / 2), to: 0 } : { from: 0, to: Math.floor((to - from) / 2) };
}

/**
 * Copies pixels to the top left, and fills what they leave to the right and below by mirroring them at each edge, the
 * edge itself included, as often as it takes.
 * @param pixels - uint8 [from.height, from.width, 3], no larger than `to`
 * @returns uint8 [to.height, to.width, 3], in memory of its own, from the pool.
 */
export function placeMirrored(pixels: Uint8Array, from: Size, to: Size): Uint8Array {
  const raster = takeBytes(to.width * to.height * 3);
  const [fromBytes, toBytes] = [from.width * 3, to.width * 3];
  for (let row = 0; row < from.height; row += 1) {
    raster.set(pixels.subarray(row * fromBytes, (row + 1) * fromBytes), row * toBytes);
    mirrorRow(raster.subarray(row * toBytes, (row + 1) * toBytes), fromBytes);
  }
  for (let row = from.height; row < to.height; row += 1) {
    const folded = row % (2 * from.height);
    const source = Math.min(folded, 2 * from.height - 1 - folded);
    raster.copyWithin(row * toBytes, source * toBytes, (source + 1) * toBytes);
  }
  return raster;
}

/** Fills the rest of a row after its first `filledBytes`. */
function mirrorRow(row: Uint8Array, filledBytes: number): void {
  const foldBytes = 2 * filledBytes;
  for (let at = filledBytes; at < Math.min(foldBytes, row.length); at += 3) {
    const source = foldBytes - at - 3;
    for (let channel = 0; channel < 3; channel += 1) row[at + channel] = row[source + channel] ?? 0;
  }
  // There and back it is the same again and again.
  for (let at = foldBytes; at < row.length; at *= 2) row.copyWithin(at, 0, at);
}
