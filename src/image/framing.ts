import { isSampled, type RasterShape, type Size } from './types.ts';

/** A part of the upright picture, in pixels. */
export interface Region extends Size {
  readonly left: number;
  readonly top: number;
}

/** Where a picture lies in a raster of the mode `long-side`: from the top left on, as large as this. */
export interface LongSidePlacement extends Size {
  /** Whether it was turned by a quarter, clockwise; its size is that after turning. */
  readonly isTurned: boolean;
}

/** How a picture becomes a raster: `region`, if any, is cut out, then scaled, then placed. */
export interface Frame {
  readonly region?: Region;
  /** Whether it is scaled to the very size of the raster, or by its own proportions inside or around it. */
  readonly scale: Size & { readonly fit: 'fill' | 'inside' | 'outside' };
  /** Where it is placed, among its mirror images; without, it is centred on black. */
  readonly placement?: LongSidePlacement;
}

/** Above this times the raster's area, scaling first and cropping after wants too much memory: 1 × 20000 took 8 GB. */
const maxScaledAreas = 16;

/** Plans how a picture of `size` fills `shape`. */
export function toFrame(size: Size, shape: RasterShape): Frame {
  // It is sampled once it is decoded.
  if (isSampled(shape)) return { scale: { ...size, fit: 'fill' } };
  const { width, height, resize } = shape;
  switch (resize) {
    case 'stretch':
      return { scale: { width, height, fit: 'fill' } };
    case 'contain':
      return { scale: { width, height, fit: 'inside' } };
    case 'long-side': {
      const placement = toLongSidePlacement(size, { width, height });
      const upright = placement.isTurned ? toTurned(placement) : { width: placement.width, height: placement.height };
      return { scale: { ...upright, fit: 'fill' }, placement };
    }
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

/**
 * Tells where an upright picture of `size` lies in a raster of `shape` of the mode `long-side`: turned where the long
 * sides would not agree, and reduced where it is too large, never enlarged.
 */
export function toLongSidePlacement(size: Size, shape: Size): LongSidePlacement {
  const isTurned = (size.width - size.height) * (shape.width - shape.height) < 0;
  const { width, height } = isTurned ? toTurned(size) : size;
  const factor = Math.min(1, shape.width / width, shape.height / height);
  const toSide = (side: number): number => Math.max(1, Math.round(side * factor));
  return { isTurned, width: toSide(width), height: toSide(height) };
}

/** The size of a picture that is turned by a quarter. */
export function toTurned({ width, height }: Size): Size {
  return { width: height, height: width };
}

/** The largest part of `size` around its centre that has the proportions of `shape`. */
function toCentre(size: Size, shape: Size): Region {
  const factor = Math.min(size.width / shape.width, size.height / shape.height);
  const width = Math.max(1, Math.round(shape.width * factor));
  const height = Math.max(1, Math.round(shape.height * factor));
  return { left: Math.floor((size.width - width) / 2), top: Math.floor((size.height - height) / 2), width, height };
}
