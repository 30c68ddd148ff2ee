const orientationTag = 0x0112;
const shortType = 3;
const entryBytes = 12;
const uprightOrientation = 1;

/**
 * Reads the orientation of an EXIF block, which is a TIFF header and a directory (TIFF 6.0, section 2).
 * @param tiff the block, from its byte order on
 * @returns 1…8, 1 where it has none; undefined where it is not well-formed
 */
export function readOrientation(tiff: Uint8Array): number | undefined {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (view.byteLength < 10) return undefined;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return undefined;
  const isLittle = order === 0x4949;
  if (view.getUint16(2, isLittle) !== 42) return undefined;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > view.byteLength) return undefined;
  const count = view.getUint16(directory, isLittle);
  if (directory + 2 + count * entryBytes > view.byteLength) return undefined;
  for (let entry = directory + 2; entry < directory + 2 + count * entryBytes; entry += entryBytes) {
    if (view.getUint16(entry, isLittle) !== orientationTag) continue;
    const isOne = view.getUint16(entry + 2, isLittle) === shortType && view.getUint32(entry + 4, isLittle) === 1;
    const value = view.getUint16(entry + 8, isLittle);
    return isOne && value >= 1 && value <= 8 ? value : undefined;
  }
  return uprightOrientation;
}
