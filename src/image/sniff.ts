import type { ImageFormat } from './types.ts';

/** Brands of HEVC-coded HEIF, which is not accepted even where it calls itself compatible with AVIF. */
const hevcBrands = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs']);

/** Real files list about six brands. */
const maxBrandBytes = 256;

/** Tells the format by magic bytes alone; undefined for everything that is not accepted. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | undefined {
  if (startsWith(bytes, '\xff\xd8\xff')) return 'jpeg';
  if (startsWith(bytes, '\x89PNG\r\n\x1a\n')) return 'png';
  if (startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a')) return 'gif';
  if (startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8)) return 'webp';
  if (isTiff(bytes)) return 'tiff';
  if (isAvif(bytes)) return 'avif';
  return undefined;
}

/** 42 marks TIFF, 43 BigTIFF, each in either byte order. */
function isTiff(bytes: Uint8Array): boolean {
  return ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((magic) => startsWith(bytes, magic));
}

function isAvif(bytes: Uint8Array): boolean {
  if (!startsWith(bytes, 'ftyp', 4)) return false;
  const brands = listBrands(bytes);
  return brands.some((brand) => brand === 'avif' || brand === 'avis') && !brands.some((brand) => hevcBrands.has(brand));
}

/** The major brand and the compatible ones of an ISO base media file (ISO/IEC 14496-12, 4.3). */
function listBrands(bytes: Uint8Array): string[] {
  const boxBytes = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const text = toLatin1(bytes.subarray(0, Math.min(boxBytes, maxBrandBytes)));
  const brands = [text.slice(8, 12)];
  for (let at = 16; at + 4 <= text.length; at += 4) brands.push(text.slice(at, at + 4));
  return brands;
}

function startsWith(bytes: Uint8Array, magic: string, at = 0): boolean {
  return toLatin1(bytes.subarray(at, at + magic.length)) === magic;
}

function toLatin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
