import { createRequire } from 'node:module';
import path from 'node:path';
import type { MeasuredImage } from './header.ts';
import { type JpegPlan, planJpeg } from './jpeg-plan.ts';
import { placeCentred, placeMirrored } from './placing.ts';
import type { RasterShape, Size } from './types.ts';

/** What `native/jpeg-raster.cc` offers. */
interface JpegLibrary {
  /** @returns uint8 [height, width, 3] of the upright picture; undefined where libjpeg-turbo has anything to remark */
  makeRaster(bytes: Uint8Array, plan: JpegPlan): Promise<ArrayBuffer | undefined>;
}

const require = createRequire(import.meta.url);
let library: JpegLibrary | undefined;

/**
 * Takes the JPEG decoder inside TensorFlow's library into use, which needs a third to two thirds of the CPU time that
 * sharp does. Call it where the library is in the process already: loading it takes a fifth of a second.
 * @throws Error where it was not built beside TensorFlow
 */
export function loadNativeJpeg(): void {
  const packageFolder = path.dirname(require.resolve('@tensorflow/tfjs-node/package.json'));
  library ??= require(path.join(packageFolder, 'lib', 'napi-v8', 'jpeg_raster.node')) as JpegLibrary;
}

/**
 * Prepares the native decode of a plain JPEG.
 * @returns what decodes it, uint8 [shape.height, shape.width, 3], or answers undefined where the picture is damaged or
 * odd, which is for sharp to judge; undefined where sharp has to decode it anyhow
 */
export function toPlainDecode(
  { plain, safeBytes }: MeasuredImage,
  shape: RasterShape,
): (() => Promise<Uint8Array | undefined>) | undefined {
  const native = library;
  const planned = native && plain && planJpeg(plain, shape);
  if (!planned) return undefined;
  const { plan, size, placement } = planned;
  return async () => {
    const made = await native.makeRaster(safeBytes, plan);
    if (made === undefined) return undefined;
    const pixels = new Uint8Array(made);
    if (isSame(size, shape)) return pixels;
    return placement ? placeMirrored(pixels, placement, shape) : placeCentred(pixels, size, shape);
  };
}

function isSame(one: Size, other: Size): boolean {
  return one.width === other.width && one.height === other.height;
}
