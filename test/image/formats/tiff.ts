import { type Colour } from '../fixtures.ts';
import {
  drawPage,
  type Field,
  grey,
  type Kind,
  type Page,
  quarters,
  rgb,
  toCompressed,
  writeTiff,
} from '../tiff-files.ts';
import { drawPlanes, drawSubsampled, mask, thumbnail, toVideo, withKind, ycbcr } from '../tiff-kinds.ts';
import {
  blackAndWhite,
  drawFour,
  drawInks,
  type FormatRow,
  fourColours,
  fourGreys,
  halfSeen,
  muted,
  type Quarters,
  side,
} from './format-row.ts';

/** A file of one page of four colours. */
function write(kind: Kind, colours: readonly Colour[] = quarters): Buffer {
  return writeTiff([drawPage(kind, side, side, colours)]);
}

function toDeep(kind: Kind): Kind {
  return { ...kind, bits: 16, toSamples: (colour) => kind.toSamples(colour).map((value) => value * 257) };
}

/** A row of grey samples of this depth in bits. */
function toGreyRow(picture: string, bits: number, photometric: 0 | 1, seen: Quarters): FormatRow {
  const most = 2 ** bits - 1;
  const toCode = ([value]: Colour): number => Math.round((value / 255) * most);
  const toSamples = (colour: Colour): number[] => [photometric === 1 ? toCode(colour) : most - toCode(colour)];
  return { picture, make: () => write({ photometric, bits, toSamples }, seen), seen };
}

function toGreys(...levels: readonly [number, number, number, number]): Quarters {
  return levels.map((level): Colour => [level, level, level]) as unknown as Quarters;
}

/** A kind of picture that has `more` samples, of kinds that ExtraSamples names. */
function withExtra(kind: Kind, more: readonly number[], kinds: readonly number[]): Kind {
  const field: Field[] = kinds.length > 0 ? [{ tag: 338, values: kinds }] : [];
  return {
    ...kind,
    toSamples: (colour) => [...kind.toSamples(colour), ...more],
    more: [...(kind.more ?? []), ...field],
  };
}

function toPaletteKind(bits: number): Kind {
  const entries = [0, 1, 2].flatMap((channel) =>
    Array.from({ length: 2 ** bits }, (_, index) => (fourColours[index]?.[channel] ?? 0) * 257),
  );
  return {
    photometric: 3,
    bits,
    toSamples: (colour) => [quarters.indexOf(colour)],
    more: [{ tag: 320, values: entries }],
  };
}

async function writeInks(toKind: (kind: Kind) => Kind = (kind) => kind): Promise<Buffer> {
  const inks = await drawInks();
  const toSamples = (colour: Colour): number[] => inks[muted.indexOf(colour)] ?? [];
  return write(toKind({ photometric: 5, bits: 8, toSamples }), muted);
}

const half = withExtra(rgb, [128], [2]);
const toHalf = (colour: Colour): number[] => colour.map((value) => Math.round((value * 128) / 255));
const tiles: Field[] = [322, 323].map((tag) => ({ tag, values: [side] }));
const main = drawPage(rgb, side, side);

const plain: readonly FormatRow[] = [
  toGreyRow('grey, 1 bit', 1, 1, blackAndWhite),
  toGreyRow('grey, 2 bits', 2, 1, toGreys(0, 85, 170, 255)),
  toGreyRow('grey, 4 bits', 4, 1, toGreys(34, 102, 170, 238)),
  toGreyRow('grey, 8 bits', 8, 1, fourGreys),
  toGreyRow('grey, 16 bits', 16, 1, fourGreys),
  toGreyRow('grey, 1 bit, 0 is white', 1, 0, blackAndWhite),
  toGreyRow('grey, 8 bits, 0 is white', 8, 0, fourGreys),
  toGreyRow('grey, 16 bits, 0 is white', 16, 0, fourGreys),
  { picture: 'RGB, 8 bits', make: () => write(rgb) },
  { picture: 'RGB, 16 bits', make: () => write(toDeep(rgb)) },
  { picture: 'RGB, separate planes', make: () => writeTiff([drawPlanes(rgb, side, side)]) },
  { picture: 'RGB, LZW', make: () => drawFour().tiff({ compression: 'lzw' }).toBuffer() },
  { picture: 'RGB, PackBits', make: () => drawFour().tiff({ compression: 'packbits' }).toBuffer() },
  { picture: 'RGB, tiles', make: () => drawFour().tiff({ tile: true, tileWidth: 64, tileHeight: 64 }).toBuffer() },
  { picture: 'BigTIFF', make: () => writeTiff([main], true) },
  { picture: 'palette, 4 bits', make: () => write(toPaletteKind(4)) },
  { picture: 'palette, 8 bits', make: () => write(toPaletteKind(8)) },
  { picture: 'CMYK, 8 bits', make: () => writeInks(), seen: muted, within: 20 },
  { picture: 'CMYK, 16 bits', make: () => writeInks(toDeep), seen: muted, within: 20 },
  {
    picture: 'Lab, 16 bits',
    make: () =>
      write({ photometric: 8, bits: 16, toSamples: ([value]) => [value * 257, 0, 0] }, toGreys(51, 102, 153, 204)),
    seen: toGreys(48, 94, 145, 198),
  },
  { picture: 'profile of Display P3', make: () => drawFour().withIccProfile('p3').tiff().toBuffer() },
];

const ycbcrRows: readonly FormatRow[] = [
  { picture: 'YCbCr, JPEG', make: () => drawFour().tiff({ compression: 'jpeg', quality: 95 }).toBuffer() },
  { picture: 'YCbCr, 4:4:4, not JPEG', make: () => write(ycbcr) },
  { picture: 'YCbCr, 4:2:0, not JPEG', make: () => writeTiff([drawSubsampled(side, side, false)]) },
  { picture: 'YCbCr, 4:2:0, not JPEG, tiles', make: () => writeTiff([drawSubsampled(side, side, true)]) },
  {
    picture: 'YCbCr, with ReferenceBlackWhite',
    make: () => {
      const video: Field = { tag: 532, type: 'rational', values: [16, 235, 128, 240, 128, 240] };
      return write({ ...ycbcr, toSamples: toVideo, more: [...(ycbcr.more ?? []), video] });
    },
  },
  { picture: 'YCbCr, 16 bits', make: () => write(toDeep(ycbcr)), refused: 'ERR_IMAGE_CORRUPT' },
  { picture: 'YCbCr, not JPEG, alpha', make: () => write(withExtra(ycbcr, [255], [2])), refused: 'ERR_IMAGE_CORRUPT' },
];

const extraRows: readonly FormatRow[] = [
  { picture: 'RGB with alpha', make: () => write(half), seen: halfSeen },
  { picture: 'RGB with alpha, 16 bits', make: () => write(toDeep(half)), seen: halfSeen },
  {
    picture: 'RGB with premultiplied alpha',
    make: () => write(withExtra({ ...rgb, toSamples: toHalf }, [128], [1])),
    seen: halfSeen,
  },
  { picture: 'RGB with an unspecified sample', make: () => write(withExtra(rgb, [0], [0])) },
  { picture: 'RGB with an unspecified sample, 16 bits', make: () => write(toDeep(withExtra(rgb, [0], [0]))) },
  { picture: 'RGB with near infrared, undeclared', make: () => write(withExtra(rgb, [90], [])) },
  { picture: 'RGB with two unspecified samples', make: () => write(withExtra(rgb, [0, 9], [0, 0])) },
  {
    picture: 'grey with an unspecified sample',
    make: () => write(withExtra(grey, [0], [0]), fourGreys),
    seen: fourGreys,
  },
  {
    picture: 'CMYK with an unspecified sample',
    make: () => writeInks((kind) => withExtra(kind, [0], [0])),
    seen: muted,
    within: 20,
  },
  {
    picture: 'RGB with alpha and another sample',
    make: () => write(withExtra(rgb, [255, 9], [2, 0])),
    refused: 'ERR_IMAGE_CORRUPT',
  },
  {
    picture: 'more than five samples',
    make: () => write(withExtra(rgb, [1, 2, 3], [0, 0, 0])),
    refused: 'ERR_IMAGE_CORRUPT',
  },
];

const pageRows: readonly FormatRow[] = [
  { picture: 'pages: the first', make: () => writeTiff([main, drawPage(grey)]) },
  { picture: 'a thumbnail first', make: () => writeTiff([thumbnail, main]) },
  { picture: 'a thumbnail first, the picture in a SubIFD', make: () => writeTiff([{ ...thumbnail, below: [main] }]) },
  { picture: 'a mask first', make: () => writeTiff([mask, withKind(main, 0)]) },
];

const unfit: Readonly<Record<string, () => Page>> = {
  'grey, floating point': () => drawPage({ ...grey, bits: 32, format: 3, toSamples: ([value]) => [value / 255] }),
  'RGB, floating point': () =>
    drawPage({ ...rgb, bits: 32, format: 3, toSamples: (colour) => colour.map((value) => value / 255) }),
  'grey, 32 bits': () => drawPage({ ...grey, bits: 32, toSamples: ([value]) => [value * 2 ** 24] }),
  'signed samples': () => drawPage({ ...grey, format: 2, toSamples: ([value]) => [value - 128] }),
  'RGB, 4 bits': () => drawPage({ ...rgb, bits: 4, toSamples: (colour) => colour.map((value) => value >> 4) }),
  'Lab, 8 bits': () => drawPage({ photometric: 8, bits: 8, toSamples: () => [128, 0, 0] }),
  'ICC Lab, LogLuv and others': () => drawPage({ ...rgb, photometric: 9 }),
  'inks other than CMYK': () =>
    drawPage({ photometric: 5, bits: 8, toSamples: () => [0, 0, 0, 0], more: [{ tag: 332, values: [2] }] }),
  'separate planes of YCbCr, Lab or grey': () => drawPlanes(ycbcr),
  'separate planes in tiles': () => ({ ...drawPlanes({ ...rgb, more: tiles }), isTiled: true }),
  'Zstandard, LZMA, JPEG 2000, LERC': () => toCompressed(drawPage(rgb), 50_000),
};

const unfitRows = Object.entries(unfit).map(([picture, draw]): FormatRow => ({
  picture,
  make: () => writeTiff([draw()]),
  refused: 'ERR_IMAGE_CORRUPT',
}));

const rawRow: FormatRow = {
  picture: 'camera raw: DNG, NEF, CR2, ARW, PEF, 3FR, IIQ, …',
  make: () => writeTiff([{ ...thumbnail, below: [drawPage({ ...grey, photometric: 32_803 })] }]),
  refused: 'ERR_IMAGE_UNSUPPORTED',
};

export const tiffRows: readonly FormatRow[] = [...plain, ...ycbcrRows, ...extraRows, ...pageRows, ...unfitRows, rawRow];
