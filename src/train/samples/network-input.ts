import type { RasterShape, Size } from '../../image/types.ts';

/**
 * The network's input: the whole frame, because a fault may be anywhere in it, at a resolution that still shows sharpness.
 * Twice the pixels would take longer than MobileNet.
 */
export const inputShape: RasterShape = { width: 640, height: 480, resize: 'long-side' };

/** Computes the size of the map over a raster: one cell for 32 × 32 pixels. */
export function toMapSize({ width, height }: Size): Size {
  return { width: Math.ceil(width / 32), height: Math.ceil(height / 32) };
}
