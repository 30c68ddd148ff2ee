import sharp, { type Sharp } from 'sharp';
import { drawFour, drawFourHalf, type FormatRow, fourColours, halfSeen, type Quarters } from './format-row.ts';

const reversed: Quarters = [fourColours[3], fourColours[2], fourColours[1], fourColours[0]];

/** Two pictures, one after the other. */
export async function drawAnimation(): Promise<Sharp> {
  const frames = await Promise.all([drawFour().png().toBuffer(), drawFour(reversed).png().toBuffer()]);
  return sharp(frames, { join: { animated: true } });
}

/** Rows of the table of WebP. */
export const webpRows: readonly FormatRow[] = [
  { picture: 'lossy', make: () => drawFour().webp({ quality: 95 }).toBuffer(), within: 5 },
  { picture: 'lossless', make: () => drawFour().webp({ lossless: true }).toBuffer() },
  {
    picture: 'lossy with alpha',
    make: () => drawFourHalf().webp({ quality: 95 }).toBuffer(),
    seen: halfSeen,
    within: 5,
  },
  { picture: 'lossless with alpha', make: () => drawFourHalf().webp({ lossless: true }).toBuffer(), seen: halfSeen },
  {
    picture: 'profile of Display P3',
    make: () => drawFour().withIccProfile('p3').webp({ lossless: true }).toBuffer(),
    within: 4,
  },
  {
    picture: 'animated: the first frame',
    make: async () => (await drawAnimation()).webp({ lossless: true }).toBuffer(),
  },
];
