import type { Size } from '../../src/image/types.ts';

/** What the mode `long-side` promises, pixel by pixel. */
function mapPixels(pixels: Uint8Array, from: Size, to: Size, toSource: (x: number, y: number) => [number, number]) {
  const mapped = new Uint8Array(to.width * to.height * 3);
  for (let at = 0; at < to.width * to.height; at += 1) {
    const [x, y] = toSource(at % to.width, Math.floor(at / to.width));
    const source = (y * from.width + x) * 3;
    mapped.set(pixels.subarray(source, source + 3), at * 3);
  }
  return mapped;
}

/** Turns pixels by a quarter, clockwise: what was at the bottom left is at the top left. */
export function turnClockwise(pixels: Uint8Array, from: Size): Uint8Array {
  const to = { width: from.height, height: from.width };
  return mapPixels(pixels, from, to, (x, y) => [y, from.height - 1 - x]);
}

/** Lays pixels at the top left and mirrors them at each of their edges, until a raster is full. */
export function mirrorPixels(pixels: Uint8Array, from: Size, to: Size): Uint8Array {
  return mapPixels(pixels, from, to, (x, y) => [reflect(x, from.width), reflect(y, from.height)]);
}

function reflect(at: number, size: number): number {
  if (at < 0) return reflect(-1 - at, size);
  return at < size ? at : reflect(2 * size - 1 - at, size);
}

/** Where the pixel of a stored picture is seen, by its EXIF orientation; of the upright picture `last` is the last pixel. */
export const seen: Record<number, (x: number, y: number, last: { x: number; y: number }) => [number, number]> = {
  1: (x, y) => [x, y],
  2: (x, y, last) => [last.x - x, y],
  3: (x, y, last) => [last.x - x, last.y - y],
  4: (x, y, last) => [x, last.y - y],
  5: (x, y) => [y, x],
  6: (x, y, last) => [last.x - y, x],
  7: (x, y, last) => [last.x - y, last.y - x],
  8: (x, y, last) => [y, last.y - x],
};
