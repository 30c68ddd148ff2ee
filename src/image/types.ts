import type { Waiting } from '../waiting.ts';

/** Formats that are accepted by their bytes. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff';

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
}

/** Who waits for a decode, and who is told of it. */
export interface DecodeWatch extends Waiting {
  /** Called when native work begins; what it returns is called at the end of that. */
  readonly enter?: () => () => void;
  /** Called when native work has not come back long after its time: this process can't be mended, only replaced. */
  readonly onHung?: () => void;
}
