import type { Sharp } from 'sharp';
import type { Colour } from '../fixtures.ts';
import { withCodePoints } from './avif-writer.ts';
import {
  drawDeep,
  drawFour,
  drawFourHalf,
  type FormatRow,
  fourColours,
  fourGreys,
  halfSeen,
  toBt2020,
  toHybrid,
  toOtherLight,
  toP3,
  toQuantised,
  toStoredLight,
} from './format-row.ts';

/** A picture with code points. */
async function encodeAs(picture: Sharp, bitdepth: 8 | 10 | 12, primaries: number, transfer: number): Promise<Buffer> {
  const bytes = await picture.avif({ quality: 95, effort: 0, bitdepth, chromaSubsampling: '4:4:4' }).toBuffer();
  return withCodePoints(bytes, primaries, transfer);
}

const toP3Parts = (colour: Colour): number[] => toOtherLight(colour, toP3).map(toStoredLight);
const toQuantisedParts = (colour: Colour): number[] => toOtherLight(colour, toBt2020).map(toQuantised);
const toHybridParts = (colour: Colour): number[] => toHybrid(toOtherLight(colour, toBt2020));

function encodeStored(
  toStored: (colour: Colour) => number[],
  bitdepth: 8 | 10 | 12,
  primaries: number,
  transfer: number,
) {
  return encodeAs(drawDeep(fourColours.map(toStored)), bitdepth, primaries, transfer);
}

/** Rows of the table of AVIF. */
export const avifRows: readonly FormatRow[] = [
  ...([8, 10, 12] as const).flatMap((bitdepth) =>
    (['4:2:0', '4:4:4'] as const).map((chromaSubsampling) => ({
      picture: `${String(bitdepth)} bits, ${chromaSubsampling}`,
      make: () => drawFour().avif({ quality: 95, effort: 0, bitdepth, chromaSubsampling }).toBuffer(),
      within: 4,
    })),
  ),
  { picture: 'lossless', make: () => drawFour().avif({ lossless: true, effort: 0 }).toBuffer() },
  {
    picture: 'grey',
    make: () => drawFour(fourGreys).toColourspace('b-w').avif({ quality: 95, effort: 0 }).toBuffer(),
    seen: fourGreys,
  },
  {
    picture: 'alpha',
    make: () => drawFourHalf().avif({ quality: 95, effort: 0 }).toBuffer(),
    seen: halfSeen,
    within: 4,
  },
  {
    picture: 'profile of Display P3',
    make: () => drawFour().withIccProfile('p3').avif({ quality: 95, effort: 0 }).toBuffer(),
    within: 5,
  },
  { picture: 'code points of Display P3', make: () => encodeStored(toP3Parts, 8, 12, 13), within: 5 },
  { picture: 'code points of Display P3, 10 bits', make: () => encodeStored(toP3Parts, 10, 12, 13), within: 5 },
  { picture: 'code points of BT.709', make: () => encodeAs(drawFour(), 8, 1, 1), within: 5 },
  { picture: 'HDR (PQ), 10 bits', make: () => encodeStored(toQuantisedParts, 10, 9, 16), within: 8 },
  { picture: 'HDR (PQ), 12 bits', make: () => encodeStored(toQuantisedParts, 12, 9, 16), within: 8 },
  { picture: 'HDR (HLG), 10 bits', make: () => encodeStored(toHybridParts, 10, 9, 18), within: 8 },
];
