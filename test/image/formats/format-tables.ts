import { avifRows } from './avif.ts';
import type { FormatRow } from './format-row.ts';
import { gifRows } from './gif.ts';
import { jpegRows } from './jpeg.ts';
import { otherRows } from './other.ts';
import { pngRows } from './png.ts';
import { tiffRows } from './tiff.ts';
import { webpRows } from './webp.ts';

/** Rows by the heading of their table in docs/formats.md. */
export const formatTables: Readonly<Record<string, readonly FormatRow[]>> = {
  JPEG: jpegRows,
  PNG: pngRows,
  WebP: webpRows,
  GIF: gifRows,
  AVIF: avifRows,
  TIFF: tiffRows,
  Others: otherRows,
};
