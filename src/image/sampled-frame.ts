import { type LongSidePlacement, type Region, toLongSidePlacement, toTurned } from './framing.ts';
import type { RasterShape, Size } from './types.ts';

/** Which part of the upright picture is sampled, to what size, and where that goes; without a placement, to the centre. */
export interface SampledFrame {
  readonly region: Region;
  /** Before it is turned. */
  readonly scale: Size;
  readonly placement: LongSidePlacement | undefined;
}

/**
 * Plans how a picture of `size` is sampled for `shape`: `cover` cuts as Keras does (`crop_to_aspect_ratio`, `smart_resize`),
 * `contain` pads as `tf.image.resize_with_pad`. Both round down where sharp rounds to the nearest.
 */
export function toSampledFrame(size: Size, { width, height, resize }: RasterShape): SampledFrame {
  const region = { left: 0, top: 0, width: size.width, height: size.height };
  switch (resize) {
    case 'stretch':
      return { region, scale: { width, height }, placement: undefined };
    case 'contain': {
      const factor = Math.min(width / size.width, height / size.height);
      const toSide = (side: number, limit: number): number => Math.min(limit, toWhole(side * factor));
      const scale = { width: toSide(size.width, width), height: toSide(size.height, height) };
      return { region, scale, placement: undefined };
    }
    case 'cover':
      return { region: toCropped(size, { width, height }), scale: { width, height }, placement: undefined };
    case 'long-side': {
      const placement = toLongSidePlacement(size, { width, height });
      const scale = placement.isTurned ? toTurned(placement) : { width: placement.width, height: placement.height };
      return { region, scale, placement };
    }
  }
}

function toCropped(size: Size, shape: Size): Region {
  const width = Math.min(size.width, toWhole((size.height * shape.width) / shape.height));
  const height = Math.min(size.height, toWhole((size.width * shape.height) / shape.width));
  return { left: Math.floor((size.width - width) / 2), top: Math.floor((size.height - height) / 2), width, height };
}

/** Rounding may leave a whole product slightly below the integer. */
function toWhole(value: number): number {
  return Math.max(1, Math.floor(value + 1e-6));
}
