import type { OutputInfo, Sharp } from 'sharp';
import { createColourConversion } from './colour/conversion.ts';
import type { DecodeTurn } from './decode-gate.ts';
import { toCorrupt, toTooSlow } from './failures.ts';
import type { Frame } from './framing.ts';
import type { MeasuredImage } from './header.ts';
import { convertHeic } from './heic.ts';
import { openPicture, openPixels } from './library.ts';
import type { RenderedPicture, SampleConversion, Samples } from './rendered-picture.ts';
import type { DecodeLimits, Size } from './types.ts';
import { createYcbcrConversion } from './ycbcr.ts';

/** One decode of a picture by the library. */
export interface Attempt {
  readonly image: MeasuredImage;
  readonly failOn: 'error' | 'warning';
  readonly limits: DecodeLimits;
  readonly turn: DecodeTurn;
  /** Whether the library rotates the picture upright, for which it copies it. */
  readonly isUpright: boolean;
  /** Of the picture, turned or not. */
  readonly size: Size;
}

/** Returns the source of renderings: the upload, or its pixels if the library would reduce them wrongly. */
export async function prepareSource(attempt: Attempt): Promise<() => Sharp> {
  const { image, turn } = attempt;
  if (image.heic !== undefined) {
    const safeBytes = await convertHeic(image.safeBytes, image.heic, turn);
    return () => openOriented({ ...attempt, image: { ...image, safeBytes } });
  }
  if (image.samples?.kind !== 'extra') return () => openOriented(attempt);
  // A reduction would premultiply them by samples that are not alpha.
  const { data, info } = await renderPixels(attempt, openOriented(attempt).removeAlpha());
  return () => openPixels(data, info);
}

/** Renders a part of a picture. */
export async function renderPicture(attempt: Attempt, picture: Sharp, frame: Frame): Promise<RenderedPicture> {
  const { image, size } = attempt;
  const { isIrreducible, colours, samples } = image;
  if (frame.region !== undefined) picture.extract(frame.region);
  // With an extract, even of the whole picture, sharp does not reduce during decoding.
  else if (isIrreducible) picture.extract({ left: 0, top: 0, ...size });
  // The whole picture is scaled, and cropped after: cropping in the library leaves the last rows unread, and a
  // truncated file would pass.
  picture.resize(frame.scale);
  if (colours !== undefined) {
    const { data, info } = await renderSamples(attempt, picture, colours.highest > 255);
    return toRendered(data, info, createColourConversion(colours, info.channels));
  }
  const { data, info } = await renderPixels(attempt, picture.flatten({ background: '#ffffff' }).removeAlpha());
  return toRendered(data, info, samples?.kind === 'ycbcr' ? createYcbcrConversion(samples.formula) : undefined);
}

function toRendered(samples: Samples, { width, height, channels }: OutputInfo, convert?: SampleConversion) {
  return { samples, width, height, channels, ...(convert && { convert }) };
}

function openOriented({ image, failOn, limits, turn, isUpright }: Attempt): Sharp {
  const ignoreIcc = image.colours !== undefined || image.samples?.kind === 'ycbcr';
  const picture = openPicture(image.safeBytes, { failOn, limitInputPixels: limits.maxPixels, ignoreIcc });
  picture.timeout({ seconds: turn.maxSeconds });
  return isUpright ? picture.autoOrient() : picture;
}

/** @returns the colours that the picture states, with alpha where it has that: as `data`, in 8 or 16 bits */
async function renderSamples(attempt: Attempt, picture: Sharp, isDeep: boolean) {
  picture.toColourspace(isDeep ? 'rgb16' : 'srgb').raw({ depth: isDeep ? 'ushort' : 'uchar' });
  const { data, info } = await renderBuffer(attempt, picture);
  if (info.channels !== 3 && info.channels !== 4) throw toCorrupt(attempt.image.facts.format);
  return { data: isDeep ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data, info };
}

/** @returns uint8 [info.height, info.width, 3] as `data` */
async function renderPixels(attempt: Attempt, picture: Sharp) {
  const { image } = attempt;
  picture.toColourspace('srgb');
  // sharp converts 16-bit RGB to Display P3, and back only if told to.
  if (image.hasWideProfile) picture.withIccProfile('srgb', { attach: false });
  const rendered = await renderBuffer(attempt, picture.raw({ depth: 'uchar' }));
  if (rendered.info.channels !== 3) throw toCorrupt(image.facts.format);
  return rendered;
}

function renderBuffer({ image, limits, turn }: Attempt, picture: Sharp) {
  turn.assertWanted();
  const startedAt = performance.now();
  return picture.toBuffer({ resolveWithObject: true }).catch((thrown: unknown) => {
    // The message may be about another picture.
    if (performance.now() - startedAt >= turn.maxSeconds * 1000) throw toTooSlow(limits.decodeTimeoutMs);
    throw toCorrupt(image.facts.format, thrown);
  });
}
