import { toSegment } from '../containers.ts';
import { type Colour } from '../fixtures.ts';
import { arithmeticJpeg, progressiveArithmeticJpeg } from './arithmetic-jpeg.ts';
import { drawFour, drawInks, type FormatRow, fourColours, fourGreys, muted, pick } from './format-row.ts';
import { toAdobeSegment, writeJpeg } from './jpeg-writer.ts';

/** Full-range YCbCr of BT.601, as JFIF has it. */
function toYcc([red, green, blue]: Colour): Colour {
  const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
  return [Math.round(luma), Math.round(128 + (blue - luma) / 1.772), Math.round(128 + (red - luma) / 1.402)];
}

const toRgb = (x: number, y: number): Colour => pick(fourColours, x, y);
const toYccSamples = (x: number, y: number): Colour => toYcc(toRgb(x, y));
const toLevel = (x: number, y: number): number[] => [pick(fourGreys, x, y)[0]];
const rgbIds = [0x52, 0x47, 0x42];
const jfif = toSegment(0xe0, Buffer.from('4a46494600010100000100010000', 'hex'));

const sequential: readonly FormatRow[] = [
  { picture: 'baseline, 4:2:0', make: () => drawFour().jpeg({ quality: 95 }).toBuffer(), within: 4 },
  {
    picture: 'baseline, 4:4:4',
    make: () => drawFour().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(),
    within: 4,
  },
  { picture: 'progressive', make: () => drawFour().jpeg({ quality: 95, progressive: true }).toBuffer(), within: 4 },
  {
    picture: 'extended sequential (SOF1)',
    make: () => writeJpeg({ coding: 0xc1, components: [1, 2, 3], toSamples: toYccSamples }),
  },
  {
    picture: 'baseline, wrong parameters in its scan header',
    make: async () => {
      const bytes = await drawFour().jpeg({ quality: 95 }).toBuffer();
      // The last coefficient, in the header of the scan of three components.
      bytes[bytes.indexOf(Buffer.of(0xff, 0xda)) + 12] = 0;
      return bytes;
    },
    within: 4,
  },
  { picture: 'grey', make: () => drawFour(fourGreys).toColourspace('b-w').jpeg().toBuffer(), seen: fourGreys },
  {
    picture: 'grey, progressive',
    make: () => drawFour(fourGreys).toColourspace('b-w').jpeg({ progressive: true }).toBuffer(),
    seen: fourGreys,
  },
  {
    picture: 'RGB, by its Adobe segment',
    make: () => writeJpeg({ components: [1, 2, 3], toSamples: toRgb, segments: [toAdobeSegment(0)] }),
  },
  { picture: 'RGB, by the names of its components', make: () => writeJpeg({ components: rgbIds, toSamples: toRgb }) },
  {
    picture: 'YCbCr without JFIF or Adobe segment',
    make: () => writeJpeg({ components: [1, 2, 3], toSamples: toYccSamples }),
  },
];

const arithmetic: readonly FormatRow[] = [
  { picture: 'arithmetic coding (SOF9)', make: () => arithmeticJpeg, within: 4 },
  { picture: 'arithmetic coding, progressive (SOF10)', make: () => progressiveArithmeticJpeg, within: 4 },
  {
    picture: 'arithmetic coding without an end marker',
    make: () => arithmeticJpeg.subarray(0, -2),
    refused: 'ERR_IMAGE_CORRUPT',
  },
];

const inks: readonly FormatRow[] = [
  {
    picture: 'CMYK, inverted as by Adobe',
    make: async () => {
      const stored = await drawInks();
      return writeJpeg({
        components: [1, 2, 3, 4],
        toSamples: (x, y) => pick(stored, x, y).map((ink) => 255 - ink),
        segments: [toAdobeSegment(0)],
      });
    },
    seen: muted,
    within: 20,
  },
  {
    picture: 'CMYK without an Adobe segment',
    make: async () => {
      const stored = await drawInks();
      return writeJpeg({ components: [1, 2, 3, 4], toSamples: (x, y) => pick(stored, x, y).map((ink) => 255 - ink) });
    },
    seen: muted,
    within: 20,
  },
  {
    picture: 'YCCK',
    make: async () => {
      const stored = await drawInks();
      return writeJpeg({
        components: [1, 2, 3, 4],
        toSamples: (x, y) => {
          const [cyan = 0, magenta = 0, yellow = 0, key = 0] = pick(stored, x, y);
          return [...toYcc([cyan, magenta, yellow]), 255 - key];
        },
        segments: [toAdobeSegment(2)],
      });
    },
    seen: muted,
    within: 20,
  },
  {
    picture: 'CMYK with a profile',
    make: () => drawFour(muted).toColourspace('cmyk').withIccProfile('cmyk').jpeg({ quality: 95 }).toBuffer(),
    seen: muted,
    within: 20,
  },
];

const profiles: readonly FormatRow[] = [
  {
    picture: 'profile of Display P3',
    make: () => drawFour().withIccProfile('p3').jpeg({ quality: 98 }).toBuffer(),
    within: 5,
  },
  {
    picture: 'profile of sRGB',
    make: () => drawFour().withIccProfile('srgb').jpeg({ quality: 95 }).toBuffer(),
    within: 4,
  },
];

const lossless: readonly FormatRow[] = [
  ...[1, 4, 7].map((predictor) => ({
    picture: `lossless (SOF3), RGB, predictor ${String(predictor)}`,
    make: () =>
      writeJpeg({ coding: 0xc3, components: rgbIds, toSamples: toRgb, predictor, segments: [toAdobeSegment(0)] }),
  })),
  {
    picture: 'lossless (SOF3), grey',
    make: () => writeJpeg({ coding: 0xc3, components: [1], toSamples: toLevel }),
    seen: fourGreys,
  },
  {
    picture: 'lossless (SOF3), YCbCr',
    make: () => writeJpeg({ coding: 0xc3, components: [1, 2, 3], toSamples: toYccSamples, segments: [jfif] }),
    refused: 'ERR_IMAGE_CORRUPT',
  },
  {
    picture: 'lossless (SOF3), 12 bits',
    make: () => writeJpeg({ coding: 0xc3, bitDepth: 12, components: [1], toSamples: toLevel }),
    refused: 'ERR_IMAGE_UNSUPPORTED',
  },
  {
    picture: 'lossless (SOF11), arithmetic coding',
    make: () => writeJpeg({ coding: 0xcb, components: [1], toSamples: toLevel }),
    refused: 'ERR_IMAGE_UNSUPPORTED',
  },
];

const others: readonly FormatRow[] = [
  {
    picture: 'hierarchical (SOF5, 6, 7, 13, 14, 15)',
    make: () => writeJpeg({ coding: 0xc7, components: [1], toSamples: toLevel }),
    refused: 'ERR_IMAGE_UNSUPPORTED',
  },
  {
    picture: '12 bits',
    make: () => writeJpeg({ coding: 0xc1, bitDepth: 12, components: [1], toSamples: toLevel }),
    refused: 'ERR_IMAGE_UNSUPPORTED',
  },
  {
    picture: 'two components',
    make: () => writeJpeg({ components: [1, 2], toSamples: (x, y) => [...toLevel(x, y), 128] }),
    refused: 'ERR_IMAGE_UNSUPPORTED',
  },
  {
    picture: 'whole pixels without an end marker',
    make: async () => (await drawFour().jpeg({ quality: 95 }).toBuffer()).subarray(0, -2),
    within: 4,
  },
  {
    picture: 'whole pixels without an end marker, then other bytes',
    make: async () =>
      Buffer.concat([(await drawFour().jpeg({ quality: 95 }).toBuffer()).subarray(0, -2), Buffer.alloc(99)]),
    within: 4,
  },
  {
    picture: 'truncated',
    make: async () => (await drawFour().jpeg({ quality: 95 }).toBuffer()).subarray(0, -40),
    refused: 'ERR_IMAGE_CORRUPT',
  },
];

/** Rows of the table of JPEG. */
export const jpegRows: readonly FormatRow[] = [
  ...sequential,
  ...arithmetic,
  ...inks,
  ...profiles,
  ...lossless,
  ...others,
];
