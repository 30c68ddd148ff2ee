/** Real files list about six brands. */
const maxBrandBytes = 256;

/** Whether the bytes have a magic, in Latin-1, at a place. */
export function hasMagic(bytes: Uint8Array, magic: string, at = 0): boolean {
  return toLatin1(bytes.subarray(at, at + magic.length)) === magic;
}

/** The major brand and the compatible ones of an ISO base media file (ISO/IEC 14496-12, 4.3); none of other files. */
export function listBrands(bytes: Uint8Array): string[] {
  if (!hasMagic(bytes, 'ftyp', 4)) return [];
  const boxBytes = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const text = toLatin1(bytes.subarray(0, Math.min(boxBytes, maxBrandBytes)));
  const brands = [text.slice(8, 12)];
  for (let at = 16; at + 4 <= text.length; at += 4) brands.push(text.slice(at, at + 4));
  return brands;
}

/** Whether brands are of HEVC-coded HEIF, also where it calls itself compatible with AVIF. */
export function areHevcBrands(brands: readonly string[]): boolean {
  return brands.some((brand) => hevcBrands.has(brand));
}

const hevcBrands = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs']);

/** The bytes as text of one character each. */
export function toLatin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
