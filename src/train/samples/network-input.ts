import type { RasterShape, Size } from '../../image/types.ts';

/**
 * What the network looks at: the whole frame, so that nothing is missed, at the pixels of a small picture, so that its
 * sharpness can be told. Twice the pixels would take longer than MobileNet.
 */
export const inputShape: RasterShape = { width: 640, height: 480, resize: 'long-side' };

/** Cells of the map over a raster, one for 32 × 32 pixels. */
export function toMapSize({ width, height }: Size): Size {
  return { width: Math.ceil(width / 32), height: Math.ceil(height / 32) };
}
