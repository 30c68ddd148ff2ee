import { createRequire } from 'node:module';
import path from 'node:path';
import { getNativeLibrary, nativeFiles } from '../native-library.ts';
import { giveBytes, takeBytes } from './byte-pool.ts';
import type { MeasuredImage } from './header.ts';
import { type JpegPlan, planJpeg } from './jpeg-plan.ts';
import { placeCentred, placeMirrored } from './placing.ts';
import type { PlainJpeg } from './plain-jpeg.ts';
import { placeSamples, planSampling, type SamplingPlan } from './sampling.ts';
import { isSampled, type RasterShape, type SampledShape, type Size } from './types.ts';

/** The samples of a JPEG, and the inverse DCT that decodes it. */
interface NativeSampling extends SamplingPlan {
  readonly isFastDct: boolean;
}

/** What `native/jpeg-raster.cc` offers. */
interface JpegLibrary {
  /**
   * Writes the upright picture, uint8 [height, width, 3].
   * @param sampling what to take of the picture at its full size in place of reducing it
   * @returns false if libjpeg-turbo warns
   */
  makeRaster(bytes: Uint8Array, plan: JpegPlan, pixels: Uint8Array, sampling?: NativeSampling): Promise<boolean>;
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
 * odd, which sharp has to judge; undefined if sharp has to decode it in any case
 */
export function toPlainDecode(
  { plain, safeBytes }: Pick<MeasuredImage, 'plain' | 'safeBytes'>,
  shape: RasterShape,
): (() => Promise<Uint8Array | undefined>) | undefined {
  const native = library;
  if (native === undefined || plain === undefined) return undefined;
  return isSampled(shape)
    ? toSampledDecode(native, plain, safeBytes, shape)
    : toReducedDecode(native, plain, safeBytes, shape);
}

function toReducedDecode(
  native: JpegLibrary,
  plain: PlainJpeg,
  bytes: Uint8Array,
  shape: RasterShape,
): (() => Promise<Uint8Array | undefined>) | undefined {
  const planned = planJpeg(plain, shape);
  if (!planned) return undefined;
  const { plan, size, placement } = planned;
  return async () => {
    const pixels = takeBytes(plan.columns * plan.rows * 3);
    if (!(await native.makeRaster(bytes, plan, pixels))) return undefined;
    if (isSame(size, shape)) return pixels;
    const raster = placement ? placeMirrored(pixels, placement, shape) : placeCentred(pixels, size, shape);
    giveBytes(pixels);
    return raster;
  };
}

function toSampledDecode(
  native: JpegLibrary,
  { coded, orientation }: PlainJpeg,
  bytes: Uint8Array,
  shape: SampledShape,
): () => Promise<Uint8Array | undefined> {
  return async () => {
    const sampling = planSampling(coded, orientation, shape);
    const [columns, rows] = [sampling.columns.count, sampling.rows.count];
    const samples = takeBytes(columns * rows * 3);
    const whole = { codedWidth: coded.width, codedHeight: coded.height, ratio: 1, orientation: 1 } as const;
    const plan: JpegPlan = { ...whole, columns, rows, columnShrink: 1, rowShrink: 1 };
    return (await native.makeRaster(bytes, plan, samples, { ...sampling, isFastDct: shape.jpegDct === 'fast' }))
      ? placeSamples(samples, sampling, shape)
      : undefined;
  };
}

function isSame(one: Size, other: Size): boolean {
  return one.width === other.width && one.height === other.height;
}
