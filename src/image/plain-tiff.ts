import type { Size } from './types.ts';

/** What pixels are laid out as: rows from the top, samples of 8 bits side by side. */
export interface PlainPixels extends Size {
  /** RGB, or RGB and alpha. */
  readonly channels: 3 | 4;
  readonly isPremultiplied: boolean;
  readonly profile: Uint8Array | undefined;
}

/** Types of fields: SHORT, LONG, UNDEFINED. */
type Field = readonly [tag: number, type: 3 | 4 | 7, count: number, value: number];

const rowsPerStrip = 64;
const entryBytes = 12;
const longBytes = 4;

/** The beginning of a TIFF whose pixels follow it, uncompressed: so a profile comes with them to where it is applied. */
export function toTiffHead(pixels: PlainPixels): Uint8Array {
  const { width, height, channels, profile = new Uint8Array() } = pixels;
  const strips = Math.ceil(height / rowsPerStrip);
  const stripBytes = width * channels * rowsPerStrip;
  const fields = listFields(pixels, strips);
  const behind = 8 + 2 + fields.length * entryBytes + longBytes;
  const [depthsAt, offsetsAt] = [behind, behind + 2 * channels];
  const [countsAt, profileAt] = [offsetsAt + strips * longBytes, offsetsAt + 2 * strips * longBytes];
  const head = Buffer.alloc(profileAt + profile.length);
  head.write('II*\0\x08\0\0\0', 'latin1');
  head.writeUInt16LE(fields.length, 8);
  const places = new Map([
    [258, depthsAt],
    [273, strips === 1 ? head.length : offsetsAt],
    [279, strips === 1 ? width * channels * height : countsAt],
    [34_675, profileAt],
  ]);
  fields.forEach(([tag, type, count, value], index) => {
    const at = 10 + index * entryBytes;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    head.writeUInt32LE(places.get(tag) ?? value, at + 8);
  });
  for (let channel = 0; channel < channels; channel += 1) head.writeUInt16LE(8, depthsAt + 2 * channel);
  for (let strip = 0; strip < strips; strip += 1) {
    head.writeUInt32LE(head.length + strip * stripBytes, offsetsAt + strip * longBytes);
    const rows = Math.min(rowsPerStrip, height - strip * rowsPerStrip);
    head.writeUInt32LE(rows * width * channels, countsAt + strip * longBytes);
  }
  head.set(profile, profileAt);
  return head;
}

function listFields({ width, height, channels, isPremultiplied, profile }: PlainPixels, strips: number): Field[] {
  return [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, channels, 0],
    [259, 3, 1, 1],
    [262, 3, 1, 2],
    [273, 4, strips, 0],
    [277, 3, 1, channels],
    [278, 4, 1, rowsPerStrip],
    [279, 4, strips, 0],
    ...(channels === 4 ? [[338, 3, 1, isPremultiplied ? 1 : 2] as const] : []),
    ...(profile === undefined ? [] : [[34_675, 7, profile.length, 0] as const]),
  ];
}
