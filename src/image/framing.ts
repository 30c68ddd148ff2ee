import type { RasterShape } from './types.ts';

/** A size in pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of the upright picture, in pixels. */
interface Region extends Size {
  readonly left: number;
  readonly top: number;
}

/** How a picture becomes a raster: `region`, if any, is cut out, then scaled, then centred. */
export interface Frame {
  readonly region?: Region;
  /** Whether it is scaled to the very size of the raster, or by its own proportions inside or around it. */
  readonly scale: Size & { readonly fit: 'fill' | 'inside' | 'outside' };
}

/** Above this times the raster's area, scaling first and cropping after wants too much memory: 1 × 20000 took 8 GB. */
const maxScaledAreas = 16;

/** Plans how a picture of `size` fills `shape`. */
export function toFrame(size: Size, { width, height, resize }: RasterShape): Frame {
  switch (resize) {
    case 'stretch':
      return { scale: { width, height, fit: 'fill' } };
    case 'contain':
      return { scale: { width, height, fit: 'inside' } };
    case 'cover': {
      const across = width / size.width;
      const down = height / size.height;
      // Scaled, it has the raster's size on one side and sticks out on the other, by the ratio of the two.
      const isHuge = Math.max(across, down) > maxScaledAreas * Math.min(across, down);
      if (!isHuge) return { scale: { width, height, fit: 'outside' } };
      return { region: toCentre(size, { width, height }), scale: { width, height, fit: 'fill' } };
    }
  }
}

/** The largest part of `size` around its centre that has the proportions of `shape`. */
function toCentre(size: Size, shape: Size): Region {
  const factor = Math.min(size.width / shape.width, size.height / shape.height);
  const width = Math.max(1, Math.round(shape.width * factor));
  const height = Math.max(1, Math.round(shape.height * factor));
  return { left: Math.floor((size.width - width) / 2), top: Math.floor((size.height - height) / 2), width, height };
}

/**
 * Copies what a centred window of `to` shows of the pixels of `from`; around them it is black.
 * @param pixels - uint8 [from.height, from.width, 3]
 * @returns uint8 [to.height, to.width, 3], in memory of its own, which may be transferred.
 */
export function placeCentred(pixels: Uint8Array, from: Size, to: Size): Uint8Array {
  const raster = new Uint8Array(to.width * to.height * 3);
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
