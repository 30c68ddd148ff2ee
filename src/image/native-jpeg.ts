import { createRequire } from 'node:module';
import path from 'node:path';
import { getNativeLibrary, nativeFiles } from '../native-library.ts';
import { giveBytes, takeBytes } from './byte-pool.ts';
import type { MeasuredImage } from './header.ts';
import { type JpegPlan, planJpeg } from './jpeg-plan.ts';
import { placeCentred, placeMirrored } from './placing.ts';
import type { RasterShape, Size } from './types.ts';

/** What `native/jpeg-raster.cc` offers. */
interface JpegLibrary {
  /**
   * Writes the upright picture, uint8 [height, width, 3].
   * @returns false where libjpeg-turbo has anything to remark
   */
  makeRaster(bytes: Uint8Array, plan: JpegPlan, pixels: Uint8Array): Promise<boolean>;
}

const require = createRequire(import.meta.url);
let library: JpegLibrary | undefined;

/**
 * Takes the JPEG decoder inside TensorFlow's library into use, which needs a third to two thirds of the CPU time that
 * sharp does. Call it where the library is in the process already: loading it takes a fifth of a second.
 * @throws Error where it was not built beside TensorFlow
 */
export function loadNativeJpeg(): void {
  library ??= require(path.join(getNativeLibrary(), nativeFiles.jpeg)) as JpegLibrary;
}

/**
 * Prepares the native decode of a plain JPEG.
 * @returns what decodes it, uint8 [shape.height, shape.width, 3], or answers undefined where the picture is damaged or
 * odd, which is for sharp to judge; undefined where sharp has to decode it anyhow
 */
export function toPlainDecode(
  { plain, safeBytes }: Pick<MeasuredImage, 'plain' | 'safeBytes'>,
  shape: RasterShape,
): (() => Promise<Uint8Array | undefined>) | undefined {
  const native = library;
  const planned = native && plain && planJpeg(plain, shape);
  if (!planned) return undefined;
  const { plan, size, placement } = planned;
  return async () => {
    const pixels = takeBytes(plan.columns * plan.rows * 3);
    if (!(await native.makeRaster(safeBytes, plan, pixels))) return undefined;
    if (isSame(size, shape)) return pixels;
    const raster = placement ? placeMirrored(pixels, placement, shape) : placeCentred(pixels, size, shape);
    giveBytes(pixels);
    return raster;
  };
}

function isSame(one: Size, other: Size): boolean {
  return one.width === other.width && one.height === other.height;
}
