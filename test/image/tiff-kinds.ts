import { deflateSync } from 'node:zlib';
import type { Colour } from './fixtures.ts';
import { drawPage, type Field, type Kind, type Page, quarters, rgb, toFields } from './tiff-files.ts';

/** YCbCr of the full range, as JPEG has it. */
export function toYcbcr([r, g, b]: Colour): [number, number, number] {
  const y = 0.299 * r + 0.587 * g + 0.114 * b;
  return [Math.round(y), Math.round(128 + (b - y) / 1.772), Math.round(128 + (r - y) / 1.402)];
}

/** YCbCr of the range of video. */
export function toVideo(colour: Colour): number[] {
  const [y, cb, cr] = toYcbcr(colour);
  return [16 + (y * 219) / 255, 128 + ((cb - 128) * 224) / 255, 128 + ((cr - 128) * 224) / 255].map(Math.round);
}

/** YCbCr without subsampling. */
export const ycbcr: Kind = { photometric: 6, bits: 8, toSamples: toYcbcr, more: [{ tag: 530, values: [1, 1] }] };

/** YCbCr with one colour for each block of 2 × 2 pixels. */
export function drawSubsampled(width: number, height: number, isTiled: boolean): Page {
  const units: number[] = [];
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      const colour = quarters[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)] ?? quarters[0];
      const [light, blue, red] = toYcbcr(colour ?? [0, 0, 0]);
      units.push(light, light, light, light, blue, red);
    }
  }
  const block: Field[] = isTiled
    ? [
        { tag: 322, values: [width] },
        { tag: 323, values: [height] },
      ]
    : [{ tag: 278, values: [height] }];
  // Without a field for it, colour is halved both ways.
  return {
    fields: [...toFields({ ...ycbcr, more: block }, width, height, 3)],
    blocks: [deflateSync(Buffer.from(units))],
    isTiled,
  };
}

/** RGB or YCbCr with a strip for each component. */
export function drawPlanes(kind: Kind, width = 64, height = 48): Page {
  const { fields } = drawPage(kind, width, height);
  const planes = [0, 1, 2].map((channel) => {
    const plane = drawPage({ ...kind, toSamples: (colour) => [kind.toSamples(colour)[channel] ?? 0] }, width, height);
    return plane.blocks[0] ?? Buffer.alloc(0);
  });
  return { fields: [...fields, { tag: 284, values: [2] }], blocks: planes };
}

/** A copy of `page` that says what it is in NewSubfileType. */
export function withKind(page: Page, kind: number): Page {
  return { ...page, fields: [...page.fields, { tag: 254, type: 'long', values: [kind] }] };
}

/** A smaller copy of a picture, with other colours to tell them apart. */
export const thumbnail = withKind(drawPage(rgb, 16, 12, [...quarters].reverse()), 1);
/** A mask of a picture. */
export const mask = withKind(drawPage({ photometric: 4, bits: 1, toSamples: () => [1] }), 4);
