import { noDeadline } from '../deadline.ts';
import { ServiceError, toMessage } from '../errors.ts';
import { decodeGate, type DecodeTurn } from './decode-gate.ts';
import { createDecodeMemory, type MemoryPermit } from './decode-memory.ts';
import { type Frame, toFrame } from './framing.ts';
import { type MeasuredImage, measureImage } from './header.ts';
import { assertAffordable } from './header/cost.ts';
import { turnPixels } from './library.ts';
import { toPlainDecode } from './native-jpeg.ts';
import { placeCentred, placeMirrored } from './placing.ts';
import { convertPicture } from './rendered-picture.ts';
import { prepareSource, renderPicture } from './rendering.ts';
import { samplePicture } from './sampled-picture.ts';
import { type DecodeLimits, type DecodeWatch, type ImageFormat, isSampled, type RasterShape } from './types.ts';

const memory = createDecodeMemory();

/** Only libjpeg and libtiff, which may contain JPEG data, report damage as warnings. */
const warningFormats = new Set<ImageFormat>(['jpeg', 'tiff']);

/**
 * Warnings that mean lost pixels. Many phones and scanners cause the others: stray bytes, odd headers, private tags.
 */
const finalFailure = /bad huffman code|bad arithmetic code|premature end of data segment|instead of rst/i;

/** Bytes behind the pixels of a picture whose end was added. */
const beforeAddedEnd = /extraneous bytes before marker 0xd9/i;

/**
 * Decodes the first frame of an upload, upright, over white, as 8-bit sRGB.
 * @returns uint8 [shape.height, shape.width, 3] in memory of its own, which may be transferred.
 * @throws ERR_IMAGE_CORRUPT for a picture that does not decode completely, ERR_DECODE_TIMEOUT, ERR_DEADLINE when the
 * caller is gone, and all errors of `inspectImage`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  shape: RasterShape,
  limits: DecodeLimits,
  watch: DecodeWatch = noDeadline,
): Promise<Uint8Array> {
  const bounded = withBudget(watch, limits);
  return decodeMeasured(await measureImage(bytes, limits, bounded), shape, limits, bounded);
}

/**
 * Like `decodeImage`, of an image whose header has been read.
 * @throws ERR_IMAGE_CORRUPT, ERR_IMAGE_TOO_COSTLY where it takes too much memory at its full size, ERR_DECODE_TIMEOUT,
 * ERR_DEADLINE when the caller is gone.
 */
export async function decodeMeasured(
  image: MeasuredImage,
  shape: RasterShape,
  limits: DecodeLimits,
  watch: DecodeWatch,
): Promise<Uint8Array> {
  const bounded = withBudget(watch, limits);
  const decodePlain = toPlainDecode(image, shape);
  if (decodePlain !== undefined) {
    const pixels = image.facts.width * image.facts.height;
    const run = (decode: typeof decodePlain) =>
      decodeGate.run({ isPlain: true, pixels, library: 'libjpeg' }, limits, bounded, decode);
    // Plain JPEGs are reduced during decoding, take little memory and do not wait behind pictures that take much.
    if (isSampled(shape)) assertAffordable(pixels * 3, limits);
    const raster = isSampled(shape)
      ? await withMemory(pixels * 3, limits, bounded, (permit) => run(() => permit.run(decodePlain)))
      : await run(decodePlain);
    if (raster !== undefined) return raster;
  }
  const bytes = isSampled(shape) ? image.fullDecodeBytes : image.decodeBytes;
  // `measureImage` compared `decodeBytes` with the limit.
  if (isSampled(shape)) assertAffordable(bytes, limits);
  return withMemory(bytes, limits, bounded, (permit) => decodeByLibrary(image, shape, limits, bounded, permit));
}

async function withMemory<T>(
  bytes: number,
  limits: DecodeLimits,
  watch: DecodeWatch,
  decode: (permit: MemoryPermit) => Promise<T>,
): Promise<T> {
  const permit = await memory.acquire(bytes, limits.maxDecodeBytes, watch);
  try {
    return await decode(permit);
  } finally {
    permit.release();
  }
}

async function decodeByLibrary(
  image: MeasuredImage,
  shape: RasterShape,
  limits: DecodeLimits,
  watch: DecodeWatch,
  permit: MemoryPermit,
): Promise<Uint8Array> {
  const pixels = image.facts.width * image.facts.height;
  const decode: Decode = (failOn, turn) => decodeFrame(image, shape, failOn, limits, turn);
  const run = <T>(charged: number, attempt: (turn: DecodeTurn) => Promise<T>): Promise<T> => {
    const work = { isPlain: image.plain !== undefined, pixels: charged, library: 'libvips' } as const;
    return decodeGate.run(work, limits, watch, (turn) => permit.run(() => attempt(turn)));
  };
  if (!warningFormats.has(image.facts.format)) return run(pixels, (turn) => decode('error', turn));
  const outcome = await run(pixels, (turn) => decodeStrictly(decode, turn));
  if (outcome.kind === 'raster') return outcome.raster;
  if (outcome.isCertain && isFinal(image, outcome)) throw outcome.error;
  return run(limits.maxPixels, (turn) => decodeDespiteWarnings(image, outcome, decode, turn));
}

function withBudget(watch: DecodeWatch, limits: DecodeLimits): DecodeWatch {
  return { ...watch, budget: watch.budget ?? { leftMs: limits.decodeTimeoutMs } };
}

type FailOn = 'error' | 'warning';
type Decode = (failOn: FailOn, turn: DecodeTurn) => Promise<Uint8Array>;

/** A failed strict decode. The message is certainly about this picture if libvips decoded no other meanwhile. */
interface Objection {
  readonly kind: 'objection';
  readonly error: ServiceError;
  readonly message: string;
  readonly isCertain: boolean;
}

/** For a picture without an end any other warning means truncation: the next one could be about lost pixels. */
function isFinal({ isEndAdded }: MeasuredImage, { message }: Objection): boolean {
  return isEndAdded ? !beforeAddedEnd.test(message) : finalFailure.test(message);
}

async function decodeStrictly(
  decode: Decode,
  turn: DecodeTurn,
): Promise<Objection | { readonly kind: 'raster'; readonly raster: Uint8Array }> {
  const isAlone = turn.watchCompany();
  try {
    return { kind: 'raster', raster: await decode('warning', turn) };
  } catch (thrown) {
    if (!(thrown instanceof ServiceError) || thrown.cause === undefined) throw thrown;
    return { kind: 'objection', error: thrown, message: toMessage(thrown.cause), isCertain: isAlone() };
  }
}

/** A picture that fails at the same moment can consume the message: the decode is repeated to get it. */
const strictAttempts = 4;

async function decodeDespiteWarnings(
  image: MeasuredImage,
  first: Objection,
  decode: Decode,
  turn: DecodeTurn,
): Promise<Uint8Array> {
  let { isCertain } = first;
  for (let attempt = 0; !isCertain && attempt < strictAttempts; attempt += 1) {
    const outcome = await decodeStrictly(decode, turn);
    if (outcome.kind === 'raster') return outcome.raster;
    if (isFinal(image, outcome)) throw outcome.error;
    isCertain = outcome.isCertain;
  }
  if (!isCertain && image.isEndAdded) throw first.error;
  return decode('error', turn);
}

async function decodeFrame(
  image: MeasuredImage,
  shape: RasterShape,
  failOn: FailOn,
  limits: DecodeLimits,
  turn: DecodeTurn,
): Promise<Uint8Array> {
  const isUpright = !isSampled(shape);
  const { width, height } = image.facts;
  const size = isUpright || image.orientation < 5 ? { width, height } : { width: height, height: width };
  const attempt = { image, failOn, limits, turn, isUpright, size };
  const open = await prepareSource(attempt);
  const render = (part: Frame) => renderPicture(attempt, open(), part);
  const frame = toFrame(size, shape);
  // The part outside the region is not decoded with it and may be damaged.
  if (frame.region !== undefined) await render({ scale: frame.scale });
  const rendered = await render(frame);
  if (isSampled(shape)) return samplePicture(rendered, image.orientation, shape, turn);
  const pixels = await convertPicture(rendered, turn);
  if (frame.placement === undefined) return placeCentred(pixels, rendered, shape);
  const turned = frame.placement.isTurned ? await turnPixels(pixels, rendered) : pixels;
  return placeMirrored(turned, frame.placement, shape);
}
