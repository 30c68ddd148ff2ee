import { deflateSync } from 'node:zlib';
import { toAdobeRgb, toAdobeRgbChunk } from '../adobe-rgb.ts';
import { type Colour, toChunk } from '../fixtures.ts';
import { toCurveTag, writeProfile } from '../profile-writer.ts';
import {
  blackAndWhite,
  drawFour,
  drawFourHalf,
  type FormatRow,
  fourColours,
  fourGreys,
  halfSeen,
  pick,
  type Quarters,
  toBt2020,
  toHybrid,
  toLight,
  toOtherLight,
  toP3,
  toQuantised,
  toQuarter,
  toStoredLight,
} from './format-row.ts';
import { type PngKind, toCodePointsChunk, toGammaChunk, toNumbersChunk, writePng } from './png-writer.ts';

const toRgb = (x: number, y: number): Colour => pick(fourColours, x, y);
const toLevel = (x: number, y: number): number => pick(fourGreys, x, y)[0];
const toWide = (samples: readonly number[]): number[] => samples.map((sample) => sample * 257);

/** A PNG of RGB from what is stored of a quarter's colour, 0…1. */
function writeStored(toStored: (colour: Colour) => readonly number[], chunks: readonly Buffer[], bitDepth: 8 | 16 = 8) {
  const stored = fourColours.map((colour) => toStored(colour).map((part) => Math.round(part * (2 ** bitDepth - 1))));
  return writePng({ colourType: 2, bitDepth, toSamples: (x, y) => stored[toQuarter(x, y)] ?? [], chunks });
}

const palette = toChunk('PLTE', Buffer.from(fourColours.flat()));
const toIndex = (x: number, y: number): number[] => [toQuarter(x, y)];

/** Grey levels that fit into this few bits. */
function toFewGreys(levels: readonly [number, number, number, number], bits: number): Quarters {
  return levels.map((level): Colour => {
    const seen = Math.round((level * 255) / (2 ** bits - 1));
    return [seen, seen, seen];
  }) as unknown as Quarters;
}

const plain: readonly FormatRow[] = [
  {
    picture: 'grey, 1 bit',
    make: () => writePng({ colourType: 0, bitDepth: 1, toSamples: (x, y) => [pick([0, 1, 1, 0], x, y)] }),
    seen: blackAndWhite,
  },
  {
    picture: 'grey, 2 bits',
    make: () => writePng({ colourType: 0, bitDepth: 2, toSamples: (x, y) => [pick([0, 1, 2, 3], x, y)] }),
    seen: toFewGreys([0, 1, 2, 3], 2),
  },
  {
    picture: 'grey, 4 bits',
    make: () => writePng({ colourType: 0, bitDepth: 4, toSamples: (x, y) => [pick([2, 6, 10, 14], x, y)] }),
    seen: toFewGreys([2, 6, 10, 14], 4),
  },
  {
    picture: 'grey, 8 bits',
    make: () => writePng({ colourType: 0, bitDepth: 8, toSamples: (x, y) => [toLevel(x, y)] }),
    seen: fourGreys,
  },
  {
    picture: 'grey, 16 bits',
    make: () => writePng({ colourType: 0, bitDepth: 16, toSamples: (x, y) => [toLevel(x, y) * 257] }),
    seen: fourGreys,
  },
  { picture: 'RGB, 8 bits', make: () => writePng({ colourType: 2, bitDepth: 8, toSamples: toRgb }) },
  {
    picture: 'RGB, 16 bits',
    make: () => writePng({ colourType: 2, bitDepth: 16, toSamples: (x, y) => toWide(toRgb(x, y)) }),
  },
  ...([2, 4, 8] as const).map((bitDepth) => ({
    picture: `palette, ${String(bitDepth)} bits`,
    make: () => writePng({ colourType: 3, bitDepth, toSamples: toIndex, chunks: [palette] }),
  })),
  {
    picture: 'palette, 1 bit',
    make: () =>
      writePng({
        colourType: 3,
        bitDepth: 1,
        toSamples: (x, y) => [pick([0, 1, 1, 0], x, y)],
        chunks: [toChunk('PLTE', Buffer.from([...fourColours[0], ...fourColours[1]]))],
      }),
    seen: [fourColours[0], fourColours[1], fourColours[1], fourColours[0]],
  },
  { picture: 'interlaced', make: () => drawFour().png({ progressive: true }).toBuffer() },
];

const transparent: readonly FormatRow[] = [
  { picture: 'RGB with alpha, 8 bits', make: () => drawFourHalf().png().toBuffer(), seen: halfSeen },
  {
    picture: 'RGB with alpha, 16 bits',
    make: () => writePng({ colourType: 6, bitDepth: 16, toSamples: (x, y) => toWide([...toRgb(x, y), 127]) }),
    seen: halfSeen,
  },
  {
    picture: 'grey with alpha, 8 bits',
    make: () => writePng({ colourType: 4, bitDepth: 8, toSamples: (x, y) => [toLevel(x, y), 0] }),
    seen: toFewGreys([1, 1, 1, 1], 1),
  },
  {
    picture: 'grey with alpha, 16 bits',
    make: () => writePng({ colourType: 4, bitDepth: 16, toSamples: (x, y) => toWide([toLevel(x, y), 255]) }),
    seen: fourGreys,
  },
  {
    picture: 'palette with a transparent colour (tRNS)',
    make: () =>
      writePng({
        colourType: 3,
        bitDepth: 8,
        toSamples: toIndex,
        chunks: [palette, toChunk('tRNS', Buffer.of(255, 0))],
      }),
    seen: [fourColours[0], [255, 255, 255], fourColours[2], fourColours[3]],
  },
];

const linearProfile = toChunk(
  'iCCP',
  Buffer.concat([Buffer.from('linear\0\0', 'latin1'), deflateSync(writeProfile('GRAY', { kTRC: toCurveTag(1) }))]),
);

const profiles: readonly FormatRow[] = [
  { picture: 'profile of Adobe RGB', make: () => writeStored(toAdobeParts, [toAdobeRgbChunk()]) },
  { picture: 'profile of Adobe RGB, 16 bits', make: () => writeStored(toAdobeParts, [toAdobeRgbChunk()], 16) },
  {
    picture: 'profile of Adobe RGB beside gAMA and cHRM',
    make: () => writeStored(toAdobeParts, [toGammaChunk(1), adobePrimaries, toAdobeRgbChunk()]),
  },
  {
    picture: 'profile of linear grey',
    make: () =>
      writePng({
        colourType: 0,
        bitDepth: 8,
        toSamples: (x, y) => [Math.round(255 * toLight(toLevel(x, y)))],
        chunks: [linearProfile],
      }),
    seen: fourGreys,
    // Of dark grey 3 of 255 are stored.
    within: 5,
  },
  {
    picture: 'profile of linear grey, 16 bits',
    make: () =>
      writePng({
        colourType: 0,
        bitDepth: 16,
        toSamples: (x, y) => [Math.round(65_535 * toLight(toLevel(x, y)))],
        chunks: [linearProfile],
      }),
    seen: fourGreys,
  },
  {
    picture: 'profile of linear grey, 16 bits, with alpha',
    make: () =>
      writePng({
        colourType: 4,
        bitDepth: 16,
        toSamples: (x, y) => [Math.round(65_535 * toLight(toLevel(x, y))), 32_768],
        chunks: [linearProfile],
      }),
    seen: fourGreys.map(([level]): Colour => [
      (level + 255) / 2,
      (level + 255) / 2,
      (level + 255) / 2,
    ]) as unknown as Quarters,
  },
];

function toAdobeParts(colour: Colour): number[] {
  return toAdobeRgb(colour).map((part) => part / 255);
}

const adobePrimaries = toNumbersChunk('cHRM', 31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6000);
const toLinear = (colour: Colour): number[] => colour.map(toLight);
const toPlain = (colour: Colour): number[] => colour.map((part) => part / 255);
const linear = toGammaChunk(1);

function toLinearPng(kind: Omit<PngKind, 'chunks' | 'toSamples'>, toSamples: (light: number[]) => number[]): Buffer {
  const highest = 2 ** kind.bitDepth - 1;
  const stored = fourColours.map((colour) => toSamples(toLinear(colour)).map((part) => Math.round(part * highest)));
  return writePng({ ...kind, toSamples: (x, y) => stored[toQuarter(x, y)] ?? [], chunks: [linear] });
}

const gammas: readonly FormatRow[] = [
  // Of a dark channel 3 of 255 are stored.
  { picture: 'gAMA 1.0', make: () => writeStored(toLinear, [linear]), within: 5 },
  { picture: 'gAMA 1.0, 16 bits', make: () => writeStored(toLinear, [linear], 16) },
  {
    picture: 'gAMA 1.0, palette',
    make: () =>
      writePng({
        colourType: 3,
        bitDepth: 8,
        toSamples: toIndex,
        chunks: [
          linear,
          toChunk(
            'PLTE',
            Buffer.from(fourColours.flatMap((colour) => toLinear(colour).map((part) => Math.round(part * 255)))),
          ),
        ],
      }),
    within: 5,
  },
  {
    picture: 'gAMA 1.0, grey',
    make: () =>
      writePng({
        colourType: 0,
        bitDepth: 16,
        toSamples: (x, y) => [Math.round(65_535 * toLight(toLevel(x, y)))],
        chunks: [linear],
      }),
    seen: fourGreys,
  },
  {
    picture: 'gAMA 1.0, RGB with alpha',
    make: () => toLinearPng({ colourType: 6, bitDepth: 16 }, (light) => [...light, 0.5]),
    seen: halfSeen,
  },
  {
    picture: 'gAMA 0.55',
    make: () => writeStored((colour) => toLinear(colour).map((light) => light ** 0.55), [toGammaChunk(0.55)]),
  },
  { picture: 'gAMA 0.45455', make: () => writeStored(toPlain, [toGammaChunk(0.454_55)]) },
  { picture: 'gAMA 1.0 beside sRGB', make: () => writeStored(toPlain, [linear, toChunk('sRGB', Buffer.of(0))]) },
  {
    picture: 'gAMA and cHRM of Adobe RGB',
    make: () => writeStored(toAdobeParts, [toGammaChunk(256 / 563), adobePrimaries]),
  },
  { picture: 'gAMA of 0', make: () => writeStored(toPlain, [toNumbersChunk('gAMA', 0)]) },
  { picture: 'cHRM of 0', make: () => writeStored(toPlain, [toNumbersChunk('cHRM', 0, 0, 0, 0, 0, 0, 0, 0)]) },
];

const codePoints: readonly FormatRow[] = [
  { picture: 'cICP of sRGB', make: () => writeStored(toPlain, [toCodePointsChunk(1, 13)]) },
  {
    picture: 'cICP of sRGB beside a profile of Adobe RGB',
    make: () => writeStored(toPlain, [toCodePointsChunk(1, 13), toAdobeRgbChunk()]),
  },
  {
    picture: 'cICP of narrow range',
    make: () =>
      writeStored(
        (colour) => colour.map((part) => (16 + (219 * part) / 255) / 255),
        [toCodePointsChunk(1, 13, 'narrow')],
      ),
  },
  {
    picture: 'cICP of Display P3',
    make: () => writeStored((colour) => toOtherLight(colour, toP3).map(toStoredLight), [toCodePointsChunk(12, 13)]),
  },
  {
    picture: 'cICP of HDR (PQ)',
    make: () =>
      writeStored((colour) => toOtherLight(colour, toBt2020).map(toQuantised), [toCodePointsChunk(9, 16)], 16),
  },
  {
    picture: 'cICP of HDR (HLG)',
    make: () => writeStored((colour) => toHybrid(toOtherLight(colour, toBt2020)), [toCodePointsChunk(9, 18)], 16),
  },
];

/** Rows of the table of PNG. */
export const pngRows: readonly FormatRow[] = [...plain, ...transparent, ...profiles, ...gammas, ...codePoints];
