import type { Waiting } from '../waiting.ts';

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

/** The raster that a model wants, in pixels. */
export interface RasterShape extends Size {
  readonly resize: ResizeMode;
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

/** Which picture is decoded, who waits for it, and who is told of it. */
export interface DecodeWatch extends Waiting {
  /** Shared by all native work on the picture; without it each turn has `decodeTimeoutMs`. */
  readonly budget?: DecodeBudget;
  /** Tells pictures apart. */
  readonly imageHash?: string;
  /** Called when native work begins; what it returns is called at the end of that. */
  readonly enter?: () => () => void;
  /** Called when the budget is used up although the picture had libvips to itself and a CPU: the picture is the cause. */
  readonly onTooSlow?: () => void;
  /** Called when native work will not come back: only another process helps. */
  readonly onHung?: () => void;
}

/** Time for all native work on one picture, its header and every attempt; it passes only while native work runs. */
export interface DecodeBudget {
  leftMs: number;
}
