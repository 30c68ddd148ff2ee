import { deflateSync } from 'node:zlib';
import { type Colour, toChunk } from './fixtures.ts';
import { toCurveTag, toXyzTag, writeProfile } from './profile-writer.ts';

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
  return writeProfile('RGB ', {
    ...Object.fromEntries(Object.entries(primaries).map(([name, xyz]) => [name, toXyzTag(xyz)])),
    rTRC: toCurveTag(gamma),
    gTRC: toCurveTag(gamma),
    bTRC: toCurveTag(gamma),
  });
}
