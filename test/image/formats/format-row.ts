import sharp, { type Sharp } from 'sharp';
import type { ErrorCode } from '../../../src/errors.ts';
import { type Colour, drawPixels, drawPlain } from '../fixtures.ts';

/** One kind of picture: a row of a table of docs/formats.md. */
export interface FormatRow {
  /** The first cell of the row. */
  readonly picture: string;
  readonly make: () => Promise<Buffer> | Buffer;
  /** The four colours that a model has to see; `fourColours` unless said otherwise. */
  readonly seen?: Quarters;
  /** How far each may be away. */
  readonly within?: number;
  /** The error, for a kind that is not judged. */
  readonly refused?: ErrorCode;
}

/** Colours of the quarters of a picture: top left, top right, bottom left, bottom right. */
export type Quarters = readonly [Colour, Colour, Colour, Colour];

/** Sides of every picture: four times those of the model, so that decoders reduce it. */
export const side = 256;

export const fourColours: Quarters = [
  [200, 60, 30],
  [40, 160, 60],
  [40, 70, 190],
  [220, 200, 90],
];

export const fourGreys: Quarters = [30, 100, 170, 240].map((level): Colour => [
  level,
  level,
  level,
]) as unknown as Quarters;

export const blackAndWhite: Quarters = [0, 255, 255, 0].map((level): Colour => [
  level,
  level,
  level,
]) as unknown as Quarters;

/** Colours that a press can print, more or less. */
export const muted: Quarters = [
  [150, 110, 90],
  [90, 140, 110],
  [90, 100, 140],
  [200, 190, 130],
];

/** The inks of `muted`, 0…255, full for 255. */
export async function drawInks(): Promise<[number[], number[], number[], number[]]> {
  const inks = await Promise.all(
    muted.map(async (colour) => {
      const stored = await drawPlain(colour, 1, 1).toColourspace('cmyk').raw().toBuffer();
      return [...stored.subarray(0, 4)];
    }),
  );
  return inks as [number[], number[], number[], number[]];
}

/** Index of the quarter that a pixel is in. */
export function toQuarter(x: number, y: number): number {
  return (x < side / 2 ? 0 : 1) + (y < side / 2 ? 0 : 2);
}

/** The value that belongs to the quarter of a pixel. */
export function pick<T>(values: readonly [T, T, T, T], x: number, y: number): T {
  return values[toQuarter(x, y)] ?? values[0];
}

/** A picture of four colours, ready to be encoded. */
export function drawFour(colours: Quarters = fourColours): Sharp {
  return drawPixels(side, side, (x, y) => pick(colours, x, y));
}

/** A picture of 16-bit RGB, from what is stored of each quarter's colours, 0…1. */
export function drawDeep(stored: readonly (readonly number[])[]): Sharp {
  const samples = new Uint16Array(side * side * 3);
  for (let at = 0; at < side * side; at += 1) {
    const colour = stored[toQuarter(at % side, Math.floor(at / side))] ?? [];
    samples.set(
      colour.map((part) => Math.round(part * 65_535)),
      at * 3,
    );
  }
  return sharp(samples, { raw: { width: side, height: side, channels: 3 } }).toColourspace('rgb16');
}

/** Four colours with alpha, of which half is gone. */
export function drawFourHalf(): Sharp {
  return drawFour().ensureAlpha(0.5);
}

/** What is seen of colours of which half is gone, over white. */
export const halfSeen: Quarters = fourColours.map((colour) =>
  colour.map((part) => (part + 255) / 2),
) as unknown as Quarters;

/** Light of a part of a colour, 0…255, of sRGB. */
export function toLight(part: number): number {
  const stored = part / 255;
  return stored <= 0.040_45 ? stored / 12.92 : ((stored + 0.055) / 1.055) ** 2.4;
}

/** A colour of sRGB as light of another space, by rows of a matrix. */
export function toOtherLight(colour: Colour, matrix: readonly (readonly number[])[]): number[] {
  const light = colour.map(toLight);
  return matrix.map((row) => row.reduce((sum, weight, channel) => sum + weight * (light[channel] ?? 0), 0));
}

/** Linear sRGB to linear BT.2020 (ITU-R BT.2087, table 1, inverted for BT.709). */
export const toBt2020: readonly (readonly number[])[] = [
  [0.6274, 0.3293, 0.0433],
  [0.0691, 0.9195, 0.0114],
  [0.0164, 0.088, 0.8956],
];

/** Linear sRGB to linear Display P3. */
export const toP3: readonly (readonly number[])[] = [
  [0.8225, 0.1774, 0],
  [0.0332, 0.9669, 0],
  [0.0171, 0.0724, 0.9108],
];

/** What sRGB stores of light, 0…1. */
export function toStoredLight(light: number): number {
  return light <= 0.003_130_8 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
}

/** What the perceptual quantiser stores of light; white has 203 cd/m². */
export function toQuantised(light: number): number {
  const part = ((light * 203) / 10_000) ** 0.159_301_757_812_5;
  return ((0.835_937_5 + 18.851_562_5 * part) / (1 + 18.6875 * part)) ** 78.843_75;
}

/** What hybrid log-gamma stores of light that a screen of 1000 cd/m² is to show; white has 203 cd/m². */
export function toHybrid(light: readonly number[]): number[] {
  const shown = light.map((part) => (part * 203) / 1000);
  const luminance = 0.2627 * (shown[0] ?? 0) + 0.678 * (shown[1] ?? 0) + 0.0593 * (shown[2] ?? 0);
  const gain = luminance > 0 ? luminance ** (1 / 1.2 - 1) : 0;
  return shown.map((part) => {
    const scene = part * gain;
    if (scene <= 1 / 12) return Math.sqrt(3 * scene);
    return 0.178_832_77 * Math.log(12 * scene - 0.284_668_92) + 0.559_910_73;
  });
}
