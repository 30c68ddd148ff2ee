import { ServiceError, toMessage } from '../errors.ts';
import { waitForEver } from '../waiting.ts';
import { createDecodeGate } from './decode-gate.ts';
import { toCorrupt } from './failures.ts';
import { type Frame, toFrame } from './framing.ts';
import { measureImage, type MeasuredImage } from './header.ts';
import { openPicture, turnPixels } from './library.ts';
import { toPlainDecode } from './native-jpeg.ts';
import { placeCentred, placeMirrored } from './placing.ts';
import type { DecodeLimits, DecodeWatch, ImageFormat, RasterShape } from './types.ts';

const gate = createDecodeGate();

/** Only libjpeg and libtiff, which may hold JPEG data, tell damage by mere warnings. */
const warningFormats = new Set<ImageFormat>(['jpeg', 'tiff']);

/**
 * Warnings that mean lost pixels, and running out of time. The others are what the pictures of many a phone and scanner
 * give: stray bytes, odd headers, private tags.
 */
const finalFailure = /bad huffman code|bad arithmetic code|premature end of data segment|instead of rst|timeout:/i;

/**
 * Decodes the first frame of an upload, upright, over white, as 8-bit sRGB.
 * @returns uint8 [shape.height, shape.width, 3] in memory of its own, which may be transferred.
 * @throws ERR_IMAGE_CORRUPT for what does not decode whole or in time, ERR_DEADLINE when nobody waits for it any more,
 * and all that `inspectImage` throws.
 */
export async function decodeImage(
  bytes: Uint8Array,
  shape: RasterShape,
  limits: DecodeLimits,
  watch: DecodeWatch = waitForEver,
): Promise<Uint8Array> {
  return decodeMeasured(await measureImage(bytes, limits), shape, limits, watch);
}

/**
 * Like `decodeImage`, of an image whose header has been read.
 * @throws ERR_IMAGE_CORRUPT, ERR_DEADLINE when nobody waits for it any more.
 */
export async function decodeMeasured(
  image: MeasuredImage,
  shape: RasterShape,
  limits: DecodeLimits,
  watch: DecodeWatch,
): Promise<Uint8Array> {
  const { width, height } = image.facts;
  const decodePlain = toPlainDecode(image, shape);
  if (decodePlain !== undefined) {
    const raster = await gate.run(width * height, limits, watch, decodePlain);
    if (raster !== undefined) return raster;
  }
  const decode = (failOn: FailOn) => decodeFrame(image, shape, failOn, limits);
  if (!warningFormats.has(image.facts.format)) return gate.run(width * height, limits, watch, () => decode('error'));
  try {
    return await gate.run(width * height, limits, watch, () => decode('warning'));
  } catch (thrown) {
    if (toLibraryMessage(thrown) === undefined) throw thrown;
    // libvips mixes up the messages of pictures that fail at the same time: the one that decides is had alone.
    return gate.run(limits.maxPixels, limits, watch, () => decodeDespiteWarnings(decode));
  }
}

type FailOn = 'error' | 'warning';

/** Another upload that fails in the same moment, before its decode, can take the message away: it is asked for again. */
const strictAttempts = 4;

async function decodeDespiteWarnings(decode: (failOn: FailOn) => Promise<Uint8Array>): Promise<Uint8Array> {
  for (let attempt = 0; attempt < strictAttempts; attempt += 1) {
    try {
      return await decode('warning');
    } catch (thrown) {
      if (finalFailure.test(toLibraryMessage(thrown) ?? 'timeout:')) throw thrown;
    }
  }
  return decode('error');
}

/** What the library said of a picture that it could not decode. */
function toLibraryMessage(thrown: unknown): string | undefined {
  return thrown instanceof ServiceError && thrown.cause !== undefined ? toMessage(thrown.cause) : undefined;
}

async function decodeFrame(image: MeasuredImage, shape: RasterShape, failOn: FailOn, limits: DecodeLimits) {
  const frame = toFrame(image.facts, shape);
  // What lies outside a region is not decoded with it, and may be damaged.
  if (frame.region !== undefined) await renderPicture(image, { scale: frame.scale }, failOn, limits);
  const { data, info } = await renderPicture(image, frame, failOn, limits);
  if (frame.placement === undefined) return placeCentred(data, info, shape);
  return placeMirrored(frame.placement.isTurned ? await turnPixels(data, info) : data, frame.placement, shape);
}

/** @returns uint8 [info.height, info.width, 3] as `data` */
async function renderPicture(image: MeasuredImage, frame: Frame, failOn: FailOn, limits: DecodeLimits) {
  const picture = openPicture(image.safeBytes, { failOn, limitInputPixels: limits.maxPixels })
    .timeout({ seconds: Math.ceil(limits.decodeTimeoutMs / 1000) })
    .autoOrient();
  if (frame.region !== undefined) picture.extract(frame.region);
  // The whole picture is scaled, and cropped after: cropping in the library leaves the last rows unread, and a
  // truncated file would pass.
  picture.resize(frame.scale).flatten({ background: '#ffffff' }).removeAlpha().toColourspace('srgb');
  // sharp takes 16-bit RGB through Display P3 and does not come back by itself.
  if (image.hasWideProfile) picture.withIccProfile('srgb', { attach: false });
  const rendering = picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const rendered = await rendering.catch((thrown: unknown) => {
    throw toCorrupt(image.facts.format, thrown);
  });
  if (rendered.info.channels !== 3) throw toCorrupt(image.facts.format);
  return rendered;
}
