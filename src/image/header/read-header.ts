import { toCorrupt } from '../failures.ts';
import type { ImageFormat } from '../types.ts';
import { type AvifFacts, readAvifHeader } from './avif.ts';
import { type GifFacts, readGifHeader } from './gif.ts';
import { type HeicFacts, readHeicHeader } from './heic.ts';
import { type JpegFacts, readJpegHeader } from './jpeg.ts';
import { type PngFacts, readPngHeader } from './png.ts';
import { readTiffHeader, type TiffFacts } from './tiff.ts';
import { readWebpHeader, type WebpFacts } from './webp.ts';

/** What the container of an upload says. */
export type HeaderFacts = JpegFacts | PngFacts | WebpFacts | GifFacts | TiffFacts | AvifFacts | HeicFacts;

const readers: Readonly<Record<ImageFormat, (bytes: Uint8Array) => HeaderFacts | undefined>> = {
  jpeg: readJpegHeader,
  png: readPngHeader,
  webp: readWebpHeader,
  gif: readGifHeader,
  tiff: readTiffHeader,
  avif: readAvifHeader,
  heic: readHeicHeader,
};

/**
 * Walks the container of an upload once, with bounds on the parts that it counts.
 * @throws ERR_IMAGE_CORRUPT where no picture is found, ERR_IMAGE_TOO_COSTLY where there are too many parts
 */
export function readHeader(bytes: Uint8Array, format: ImageFormat): HeaderFacts {
  try {
    const facts = readers[format](bytes);
    if (facts !== undefined) return facts;
  } catch (thrown) {
    // The file ends within a header.
    if (!(thrown instanceof RangeError)) throw thrown;
  }
  throw toCorrupt(format);
}
