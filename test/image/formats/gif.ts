import { drawFour, type FormatRow } from './format-row.ts';
import { drawAnimation } from './webp.ts';

/** Rows of the table of GIF. */
export const gifRows: readonly FormatRow[] = [
  { picture: 'still', make: () => drawFour().gif().toBuffer() },
  { picture: 'interlaced', make: () => drawFour().gif({ progressive: true }).toBuffer() },
  {
    picture: 'transparent',
    make: () => drawFour().ensureAlpha(0).gif().toBuffer(),
    seen: [
      [255, 255, 255],
      [255, 255, 255],
      [255, 255, 255],
      [255, 255, 255],
    ],
  },
  { picture: 'animated: the first frame', make: async () => (await drawAnimation()).gif().toBuffer() },
];
