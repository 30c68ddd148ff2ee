import { ServiceError } from '../errors.ts';
import { waitForEver } from '../waiting.ts';
import { decodeGate } from './decode-gate.ts';
import { assertPixels, toCorrupt } from './failures.ts';
import { toTurned } from './framing.ts';
import { readJpegFrame } from './jpeg-frame.ts';
import { openPicture } from './library.ts';
import { type PlainJpeg, readPlainJpeg } from './plain-jpeg.ts';
import { dropCompressedText, readPngSize } from './png-chunks.ts';
import { sniffFormat } from './sniff.ts';
import type { DecodeLimits, DecodeWatch, ImageFacts, ImageFormat } from './types.ts';

/** Whether an upload is a JPEG of the plain kind, by its header. */
export function isPlainJpeg(bytes: Uint8Array): boolean {
  return sniffFormat(bytes) === 'jpeg' && readPlainJpeg(bytes) !== undefined;
}

/** An upload that is small enough to be decoded. */
export interface MeasuredImage {
  readonly facts: ImageFacts;
  /** The upload as it is given to the library. */
  readonly safeBytes: Uint8Array;
  /** Whether it is 16-bit RGB with an embedded profile. */
  readonly hasWideProfile: boolean;
  /** What its own header says where that is nothing unusual. */
  readonly plain?: PlainJpeg;
}

/** Encoders write about ten. Each costs up to 15 ms at 50 million pixels, in a call that can't be interrupted. */
const maxJpegScans = 100;

/**
 * Tells format and upright size of an upload from its header, without decoding it.
 * @throws ERR_UPLOAD_MISSING, ERR_IMAGE_UNSUPPORTED, ERR_IMAGE_CORRUPT, ERR_IMAGE_TOO_MANY_PIXELS
 */
export async function inspectImage(bytes: Uint8Array, limits: DecodeLimits): Promise<ImageFacts> {
  return (await measureImage(bytes, limits)).facts;
}

/**
 * Like `inspectImage`, with all that decoding needs to know.
 * @throws as `inspectImage`; ERR_DECODE_TIMEOUT, and ERR_DEADLINE when nobody waits any more
 */
export async function measureImage(
  bytes: Uint8Array,
  limits: DecodeLimits,
  watch: DecodeWatch = waitForEver,
): Promise<MeasuredImage> {
  if (bytes.length === 0) throw new ServiceError('ERR_UPLOAD_MISSING', 'the image is empty');
  const format = sniffFormat(bytes);
  if (format === undefined) {
    throw new ServiceError('ERR_IMAGE_UNSUPPORTED', 'the bytes are not JPEG, PNG, WebP, GIF, AVIF or TIFF');
  }
  const plain = format === 'jpeg' ? readPlainJpeg(bytes) : undefined;
  if (plain !== undefined) return toMeasured(bytes, plain, limits);
  const safeBytes = toSafeBytes(bytes, format, limits);
  const metadata = await readMetadata(safeBytes, format, limits, watch);
  const { width, height } = metadata.autoOrient;
  assertPixels(width, height, limits);
  return {
    facts: { format, width, height, bytes: bytes.length },
    safeBytes,
    hasWideProfile: metadata.space === 'rgb16' && metadata.hasProfile,
  };
}

function toMeasured(bytes: Uint8Array, plain: PlainJpeg, limits: DecodeLimits): MeasuredImage {
  const { width, height } = plain.orientation >= 5 ? toTurned(plain.coded) : plain.coded;
  assertPixels(width, height, limits);
  return {
    facts: { format: 'jpeg', width, height, bytes: bytes.length },
    safeBytes: bytes,
    hasWideProfile: false,
    plain,
  };
}

/** Refuses or mends what the library can't be trusted with. */
function toSafeBytes(bytes: Uint8Array, format: ImageFormat, limits: DecodeLimits): Uint8Array {
  // The library takes sizes beyond its own limits for damage, so these two are read here.
  const promised = format === 'jpeg' ? readJpegFrame(bytes) : format === 'png' ? readPngSize(bytes) : undefined;
  if (promised !== undefined) assertPixels(promised.width, promised.height, limits);
  if (promised !== undefined && 'scans' in promised && promised.scans > maxJpegScans) throw toCorrupt(format);
  if (format === 'png') return dropCompressedText(bytes);
  if (format === 'avif') return withAvifBrand(bytes);
  return bytes;
}

/** libvips knows an AVIF by its major brand only, and not by that of animated ones, which hold a still one too. */
function withAvifBrand(bytes: Uint8Array): Uint8Array {
  const brand = Buffer.from('avif', 'latin1');
  if (brand.equals(bytes.subarray(8, 12))) return bytes;
  const copy = Uint8Array.from(bytes);
  copy.set(brand, 8);
  return copy;
}

async function readMetadata(bytes: Uint8Array, format: ImageFormat, limits: DecodeLimits, watch: DecodeWatch) {
  const picture = openPicture(bytes, { failOn: 'error', limitInputPixels: false });
  const work = { isPlain: false, pixels: 0, library: 'libvips' } as const;
  const metadata = await decodeGate.run(work, limits, watch, () =>
    picture.metadata().catch((thrown: unknown) => {
      throw toCorrupt(format, thrown);
    }),
  );
  if (metadata.format !== (format === 'avif' ? 'heif' : format)) throw toCorrupt(format);
  return metadata;
}
