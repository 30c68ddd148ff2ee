import type { CodePoints } from '../header/header-facts.ts';
import type { HeaderFacts } from '../header/read-header.ts';
import { readGreyCurve } from '../icc-profile.ts';
import {
  compressHighlights,
  type Curve,
  hybridCurve,
  peakLight,
  quantiserCurve,
  standardCurve,
  toPowerCurve,
} from './curves.ts';
import {
  isSamePrimaries,
  type Matrix,
  type Primaries,
  primariesByCode,
  standardPrimaries,
  toStandardMatrix,
} from './primaries.ts';

/** A factor for the light of a pixel. */
type Gain = (red: number, green: number, blue: number) => number;

/** How the samples of a picture become sRGB, where the library does not see to that. */
export interface ColourSpace {
  /** A stored sample, 0…1, to light. */
  readonly curve: Curve;
  /** Light to that of sRGB; absent where the primaries are the same. */
  readonly matrix?: Matrix;
  /** What the light of a pixel is multiplied by, before that, to fit a screen; absent where it does. */
  readonly toGain?: Gain;
  /** The highest sample. */
  readonly highest: number;
}

/** What the library says of a picture. */
interface LibraryFacts {
  readonly space?: string | undefined;
  readonly icc?: Uint8Array | undefined;
}

/**
 * Finds the colour space of a picture that the library would take for sRGB: that of cICP or gAMA and cHRM in a PNG, of
 * code points in an AVIF, or of a profile for grey, which the library passes over in 16 bits and applies roughly in 8.
 * @returns undefined where the library converts the picture, or nothing has to be converted
 */
export function toColourSpace(header: HeaderFacts, { space, icc }: LibraryFacts): ColourSpace | undefined {
  const colours = toColours(header, space, icc);
  return colours && { ...colours, highest: toHighest(header, space) };
}

type Colours = Omit<ColourSpace, 'highest'>;

/** Precedence of chunks: PNG, third edition, 4.3. In an AVIF the profile takes precedence. */
function toColours(header: HeaderFacts, space?: string, icc?: Uint8Array): Colours | undefined {
  if (header.format === 'png' && header.codePoints) {
    const { codePoints, isNarrow = false } = header;
    const colours = toCodedColours(codePoints, isNarrow || icc !== undefined);
    return colours && isNarrow ? { ...colours, curve: toNarrowCurve(colours.curve) } : colours;
  }
  if (icc !== undefined) return space === 'grey16' || space === 'b-w' ? toGreyColours(icc) : undefined;
  if (header.format === 'avif' && header.codePoints) return toCodedColours(header.codePoints, false);
  if (header.format !== 'png' || header.isStandard) return undefined;
  return toGammaColours(header.gamma, header.primaries);
}

/** Black and white of narrow range, 0…1 (ITU-T H.273, equations 20 to 22). */
const [narrowBlack, narrowWhite] = [16 / 255, 235 / 255];

function toNarrowCurve(curve: Curve): Curve {
  return (stored) => curve(Math.min(1, Math.max(0, (stored - narrowBlack) / (narrowWhite - narrowBlack))));
}

/** libvips puts samples of 9 to 15 bits at the top of 16. */
function toHighest({ format, bitDepth }: HeaderFacts, space: string | undefined): number {
  if (space !== 'rgb16' && space !== 'grey16') return 255;
  const spare = format === 'avif' ? 16 - bitDepth : 0;
  return 65_535 - (2 ** spare - 1);
}

function toGreyColours(profile: Uint8Array): Colours | undefined {
  const curve = readGreyCurve(profile);
  return curve && { curve };
}

/** By the code points of ITU-T H.273, table 3; missing codes are shown as sRGB, as BT.709 usually is. */
const curvesByCode: ReadonlyMap<number, Curve> = new Map([
  [4, toPowerCurve(2.2)],
  [5, toPowerCurve(2.8)],
  [8, toPowerCurve(1)],
  [16, quantiserCurve],
  [18, hybridCurve],
]);

const gainsByCode: ReadonlyMap<number, Gain> = new Map([
  [16, toCompression],
  [
    18,
    (red, green, blue) => {
      const gain = toSceneGain(red, green, blue);
      return gain * toCompression(red * gain, green * gain, blue * gain);
    },
  ],
]);

/** @param mustConvert although it is sRGB: the library would convert it by a profile that does not count */
function toCodedColours({ primaries, transfer }: CodePoints, mustConvert: boolean): Colours | undefined {
  const named = primariesByCode.get(primaries);
  const matrix = named && toStandardMatrix(named);
  const curve = curvesByCode.get(transfer);
  if (!matrix && !curve && !mustConvert) return undefined;
  const toGain = gainsByCode.get(transfer);
  return { curve: curve ?? standardCurve, ...(matrix && { matrix }), ...(toGain && { toGain }) };
}

/** All three colours get what the brightest needs, so that the hue stays. */
function toCompression(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  return most > 0 ? compressHighlights(most) / most : 1;
}

/** Light of an HLG scene to that of a screen of 1000 cd/m² (ITU-R BT.2100, table 5, OOTF). */
function toSceneGain(red: number, green: number, blue: number): number {
  return peakLight * (0.2627 * red + 0.678 * green + 0.0593 * blue) ** 0.2;
}

/** As libpng does, an exponent that makes less of a difference than this with that of a screen is left alone. */
const gammaThreshold = 0.05;
const screenExponent = 2.2;

function toGammaColours(gamma: number | undefined, primaries: Primaries | undefined): Colours | undefined {
  const isUsual = gamma === undefined || Math.abs(gamma * screenExponent - 1) < gammaThreshold;
  const isSame = primaries === undefined || isSamePrimaries(primaries, standardPrimaries);
  const matrix = isSame ? undefined : toStandardMatrix(primaries);
  if (isUsual && !matrix) return undefined;
  return { curve: gamma === undefined ? standardCurve : toPowerCurve(1 / gamma), ...(matrix && { matrix }) };
}
