import sharp, { type Sharp } from 'sharp';
import type { Picture } from './photos.ts';
import { drawBetween, drawLogBetween } from './random.ts';
import type { Random } from './random.ts';

/** What is done to a photograph, in this order. */
export interface Degradation {
  /** The part that is kept, as shares of the sides; its place as shares of what is left over. */
  readonly crop: { readonly share: number; readonly left: number; readonly top: number };
  /** Standard deviation of the Gaussian blur as a share of the long side; 0 is none. */
  readonly blur: number;
  /** Exposure: every value becomes value · gain + offset, cut at 0 and 255. */
  readonly gain: number;
  readonly offset: number;
  /** JPEG quality, 1…100. */
  readonly quality: number;
}

/** How badly a degradation hurt this very photograph. */
export interface Strength {
  /** As {@link Degradation.blur}. */
  readonly blur: number;
  /** Shares of what could be made out before that exposure turned black or white. */
  readonly black: number;
  readonly white: number;
}

/** A degraded photograph as it would be uploaded. */
export interface DegradedPhoto {
  readonly jpeg: Buffer;
  readonly strength: Strength;
}

/** Leaves a photograph as it is, but for good JPEG compression. */
export const untouched: Degradation = {
  crop: { share: 1, left: 0, top: 0 },
  blur: 0,
  gain: 1,
  offset: 0,
  quality: 92,
};

/** Luma at or below which nothing can be made out, and at or above which nothing is left. */
const blackLuma = 28;
const whiteLuma = 242;

/** Draws a degradation: about three in ten leave a good picture. */
export function drawDegradation(random: Random): Degradation {
  const crop = { share: drawBetween(random, 0.75, 1), left: random(), top: random() };
  const quality = Math.round(drawBetween(random, 55, 96));
  const kind = random();
  const blur = kind < 0.3 || kind >= 0.65 ? drawBetween(random, 0, 0.001) : drawLogBetween(random, 0.001, 0.09);
  if (kind < 0.6) return { crop, quality, blur, gain: drawBetween(random, 0.6, 1.3), offset: 0 };
  return { crop, quality, blur, ...drawExposure(random) };
}

/** Degrades a photograph; the same degradation gives the same bytes. */
export async function degradePhoto(photo: Picture, degradation: Degradation): Promise<DegradedPhoto> {
  const { crop, blur, gain, offset, quality } = degradation;
  const width = Math.max(1, Math.round(photo.width * crop.share));
  const height = Math.max(1, Math.round(photo.height * crop.share));
  const left = Math.floor((photo.width - width) * crop.left);
  const top = Math.floor((photo.height - height) * crop.top);
  const raw = { width, height, channels: 3 } as const;

  const before = await toSharp(photo).extract({ left, top, width, height }).raw().toBuffer();
  // libvips refuses a sigma below 0.3 pixels, which changes nothing that can be seen.
  const sigma = blur * Math.max(width, height);
  const blurred = sigma < 0.3 ? before : await sharp(before, { raw }).blur(sigma).raw().toBuffer();
  const after = await sharp(blurred, { raw }).linear(gain, offset).raw().toBuffer();
  const jpeg = await sharp(after, { raw }).jpeg({ quality }).toBuffer();
  return { jpeg, strength: { blur, ...measureLoss(before, after) } };
}

function drawExposure(random: Random): { gain: number; offset: number } {
  const isWhole = random() < 0.15;
  if (random() < 0.5) {
    if (isWhole) return { gain: 0, offset: drawBetween(random, 0, 14) };
    return { gain: drawLogBetween(random, 0.01, 0.6), offset: drawBetween(random, 0, 6) };
  }
  if (isWhole) return { gain: 0, offset: drawBetween(random, 245, 255) };
  return { gain: drawLogBetween(random, 1.3, 16), offset: drawBetween(random, 0, 110) };
}

function toSharp({ pixels, width, height }: Picture): Sharp {
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** What was black or white before (a night sky, a white page) is no loss. */
function measureLoss(before: Uint8Array, after: Uint8Array): { black: number; white: number } {
  const counts = { visible: 0, black: 0, light: 0, white: 0 };
  for (let at = 0; at + 2 < after.length; at += 3) {
    const was = toLuma(before, at);
    const is = toLuma(after, at);
    if (was > blackLuma) {
      counts.visible += 1;
      if (is <= blackLuma) counts.black += 1;
    }
    if (was < whiteLuma) {
      counts.light += 1;
      if (is >= whiteLuma) counts.white += 1;
    }
  }
  return { black: counts.black / Math.max(1, counts.visible), white: counts.white / Math.max(1, counts.light) };
}

function toLuma(pixels: Uint8Array, at: number): number {
  return (2 * (pixels[at] ?? 0) + 5 * (pixels[at + 1] ?? 0) + (pixels[at + 2] ?? 0)) / 8;
}
