import { toBox } from '../containers.ts';

/** The matrix that libheif codes colours by where nothing else is asked for: that of BT.601. */
const usualMatrix = 6;

/** A box colr with code points, of full range. */
function toCodePointsBox(primaries: number, transfer: number): Buffer {
  return toBox('colr', Buffer.from('nclx', 'latin1'), Buffer.of(0, primaries, 0, transfer, 0, usualMatrix, 0x80));
}

/** Gives code points to an AVIF of one picture, as libheif writes it: without any. */
export function withCodePoints(avif: Buffer, primaries: number, transfer: number): Buffer {
  const bytes = Buffer.from(avif);
  const find = (type: string): number => bytes.indexOf(type, 0, 'latin1') - 4;
  const enlarge = (at: number, by: number, size = 4): void => {
    bytes.writeUIntBE(bytes.readUIntBE(at, size) + by, at, size);
  };
  const property = toCodePointsBox(primaries, transfer);
  const [container, associations] = [find('ipco'), find('ipma')];
  const containerEnd = container + bytes.readUInt32BE(container);
  const associationsEnd = associations + bytes.readUInt32BE(associations);
  // Version and flags, one entry: the identifier of the item, then the number of its properties, each a byte.
  const count = associations + 12 + 4 + 2;
  enlarge(container, property.length);
  enlarge(associations, 1);
  enlarge(count, 1, 1);
  for (const type of ['iprp', 'meta']) enlarge(find(type), property.length + 1);
  // The base offset of the only item, behind sizes of fields, the number of items, its identifier and a reference.
  enlarge(find('iloc') + 12 + 2 + 2 + 2 + 2, property.length + 1);
  return Buffer.concat([
    bytes.subarray(0, containerEnd),
    property,
    bytes.subarray(containerEnd, associationsEnd),
    Buffer.of(bytes.readUInt8(count)),
    bytes.subarray(associationsEnd),
  ]);
}
