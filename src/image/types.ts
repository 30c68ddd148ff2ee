import type { Deadline } from '../deadline.ts';

/** Formats that are accepted by their bytes; HEIC where it is switched on. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff' | 'heic';

/** What the header of an image says; `width` and `height` are pixels after EXIF orientation. */
export interface ImageFacts {
  readonly format: ImageFormat;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How a picture is brought to a model's input size. */
export type ResizeMode = 'cover' | 'contain' | 'stretch' | 'long-side';

/**
 * How pixels of a raster are computed from those of a picture: by a filter over all of them, or from the few next to a
 * position in the picture.
 */
export type Kernel = 'lanczos' | SamplingKernel;
export type SamplingKernel = 'bilinear' | 'bicubic' | 'nearest';

/** Where in a line of `from` pixels the one at `index` of `to` lies, as ONNX's Resize calls it. */
export type Coordinates = 'half-pixel' | 'align-corners' | 'asymmetric';

/** The inverse DCT of a JPEG: `fast` is what TensorFlow's own DecodeJpeg takes, and off by a level here and there. */
export type JpegDct = 'accurate' | 'fast';

/** The raster that a model wants, in pixels. */
export interface RasterShape extends Size {
  readonly resize: ResizeMode;
  /** `lanczos` where it is absent. */
  readonly kernel?: Kernel;
  /** Default: `half-pixel`; ignored for `lanczos`. */
  readonly coordinates?: Coordinates;
  /** Default: `accurate`; ignored for `lanczos` and for JPEGs that are not plain. */
  readonly jpegDct?: JpegDct;
}

/** A raster that is sampled from the picture at its full size. */
export interface SampledShape extends RasterShape {
  readonly kernel: SamplingKernel;
}

/** Whether a raster is sampled rather than reduced by a filter. */
export function isSampled(shape: RasterShape): shape is SampledShape {
  return shape.kernel !== undefined && shape.kernel !== 'lanczos';
}

/** Bounds of one decode. */
export interface DecodeLimits {
  readonly maxPixels: number;
  readonly decodeTimeoutMs: number;
  /** Memory for all decodes of this process together, as their headers are priced. */
  readonly maxDecodeBytes: number;
  /** Whether HEIC is decoded. */
  readonly heic?: boolean;
}

/** The picture of a decode, its deadline, and callbacks for its outcome. */
export interface DecodeWatch extends Deadline {
  /** Shared by all native work on the picture; without it each turn has `decodeTimeoutMs`. */
  readonly budget?: DecodeBudget;
  /** Tells pictures apart. */
  readonly imageHash?: string;
  /** Called when native work begins; what it returns is called at the end of that. */
  readonly enter?: () => () => void;
  /** Called when the budget is used up although the picture had libvips and a CPU to itself: the picture is the cause. */
  readonly onTooSlow?: () => void;
  /** Called when native work has hung: only another process helps. */
  readonly onHung?: () => void;
}

/** Time for all native work on one picture, its header and every attempt; it passes only while native work runs. */
export interface DecodeBudget {
  leftMs: number;
}
