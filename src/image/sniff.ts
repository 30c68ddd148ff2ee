import { areHevcBrands, hasMagic, listBrands } from './signature.ts';
import type { ImageFormat } from './types.ts';

/** Tells the format by magic bytes alone; undefined for everything that is not accepted. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | undefined {
  if (hasMagic(bytes, '\xff\xd8\xff')) return 'jpeg';
  if (hasMagic(bytes, '\x89PNG\r\n\x1a\n')) return 'png';
  if (hasMagic(bytes, 'GIF87a') || hasMagic(bytes, 'GIF89a')) return 'gif';
  if (hasMagic(bytes, 'RIFF') && hasMagic(bytes, 'WEBP', 8)) return 'webp';
  if (isTiff(bytes)) return 'tiff';
  return sniffHeif(bytes);
}

/** 42 marks TIFF, 43 BigTIFF, each in either byte order. */
function isTiff(bytes: Uint8Array): boolean {
  return ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((magic) => hasMagic(bytes, magic));
}

function sniffHeif(bytes: Uint8Array): ImageFormat | undefined {
  const brands = listBrands(bytes);
  if (areHevcBrands(brands)) return 'heic';
  return brands.some((brand) => brand === 'avif' || brand === 'avis') ? 'avif' : undefined;
}
