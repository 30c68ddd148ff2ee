import { deflateSync } from 'node:zlib';
import { type Colour, toChunk } from './fixtures.ts';

/** The gamma that the Adobe RGB (1998) specification gives as 2 51/256. */
const gamma = 563 / 256;

/** Linear sRGB to linear Adobe RGB, both with the D65 white: red moves into green's place, blue a little. */
const fromSrgb: readonly (readonly number[])[] = [
  [0.715_12, 0.284_88, 0],
  [0, 1, 0],
  [0, 0.041_17, 0.958_83],
];

/** The primaries as XYZ, adapted to D50 as a profile wants them. */
const primaries = {
  rXYZ: [0.609_74, 0.311_11, 0.019_47],
  gXYZ: [0.205_28, 0.625_67, 0.060_87],
  bXYZ: [0.149_19, 0.063_22, 0.744_57],
  wtpt: [0.964_2, 1, 0.824_9],
} as const;

/** The same colour as 8-bit Adobe RGB. */
export function toAdobeRgb(colour: Colour): Colour {
  const linear = colour.map((value) => {
    const part = value / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const [r = 0, g = 0, b = 0] = fromSrgb.map((row) => {
    const sum = row.reduce((total, weight, channel) => total + weight * (linear[channel] ?? 0), 0);
    return Math.round(255 * sum ** (1 / gamma));
  });
  return [r, g, b];
}

/** An iCCP chunk with a version 2 matrix profile of Adobe RGB. */
export function toAdobeRgbChunk(): Buffer {
  return toChunk('iCCP', Buffer.concat([Buffer.from('Adobe RGB\0\0', 'latin1'), deflateSync(toProfile())]));
}

function toProfile(): Buffer {
  const description = Buffer.alloc(104);
  description.write('desc\0\0\0\0\0\0\0\x0aAdobe RGB', 'latin1');
  const curve = Buffer.alloc(16);
  curve.write('curv', 'latin1');
  curve.writeUInt32BE(1, 8);
  curve.writeUInt16BE(gamma * 256, 12);
  const tags: (readonly [string, Buffer])[] = [
    ['desc', description],
    ['cprt', Buffer.from('text\0\0\0\0none\0\0\0\0', 'latin1')],
    ...Object.entries(primaries).map(([name, xyz]) => [name, toXyz(xyz)] as const),
    ...['rTRC', 'gTRC', 'bTRC'].map((name) => [name, curve] as const),
  ];
  const header = Buffer.alloc(128);
  header.writeUInt32BE(0x02_10_00_00, 8);
  header.write('mntrRGB XYZ ', 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  toXyz(primaries.wtpt).copy(header, 68, 8);
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length, 0);
  let offset = header.length + table.length;
  for (const [index, [name, data]] of tags.entries()) {
    table.write(name, 4 + 12 * index, 'latin1');
    table.writeUInt32BE(offset, 8 + 12 * index);
    table.writeUInt32BE(data.length, 12 + 12 * index);
    offset += data.length;
  }
  header.writeUInt32BE(offset, 0);
  return Buffer.concat([header, table, ...tags.map(([, data]) => data)]);
}

/** An XYZ tag with three numbers of 16.16 bits. */
function toXyz(values: readonly number[]): Buffer {
  const tag = Buffer.alloc(20);
  tag.write('XYZ ', 'latin1');
  for (const [index, value] of values.entries()) tag.writeInt32BE(Math.round(value * 65_536), 8 + 4 * index);
  return tag;
}
