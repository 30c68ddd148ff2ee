import { noDeadline } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import { type ColourSpace, toColourSpace } from './colour/colour-space.ts';
import { decodeGate } from './decode-gate.ts';
import { assertPixels, toCorrupt } from './failures.ts';
import { toTurned } from './framing.ts';
import { assertAffordable, assertPasses } from './header/cost.ts';
import type { HeicFacts } from './header/heic.ts';
import { readJpegHeader } from './header/jpeg.ts';
import { assertJpegCoding, isIrreducibleJpeg } from './header/jpeg-coding.ts';
import { toDecodeBytes, toFullDecodeBytes } from './header/price.ts';
import { type HeaderFacts, readHeader } from './header/read-header.ts';
import { withDetour } from './header/tiff.ts';
import { type TiffSamples, toUnfit } from './header/tiff-samples.ts';
import { isStandardProfile } from './icc-profile.ts';
import { openPicture } from './library.ts';
import { type PlainJpeg, readPlainJpeg } from './plain-jpeg.ts';
import { dropCompressedText } from './png-text.ts';
import { toUnsupported } from './refused-formats.ts';
import { sniffFormat } from './sniff.ts';
import type { DecodeLimits, DecodeWatch, ImageFacts, ImageFormat } from './types.ts';

/** Whether an upload is a JPEG of the plain kind, by its header. */
export function isPlainJpeg(bytes: Uint8Array): boolean {
  if (sniffFormat(bytes) !== 'jpeg') return false;
  try {
    // A JPEG with further scans is not plain.
    const header = readJpegHeader(bytes, 'first scan');
    return header !== undefined && readPlainJpeg(bytes, header) !== undefined;
  } catch (thrown) {
    if (thrown instanceof ServiceError) return false;
    throw thrown;
  }
}

/** An upload that is small enough to be decoded. */
export interface MeasuredImage {
  readonly facts: ImageFacts;
  /** The upload as it is given to the library. */
  readonly safeBytes: Uint8Array;
  /** Estimate of the memory that the library needs to decode and reduce it. */
  readonly decodeBytes: number;
  /** The same for its full size, from which a raster is sampled. */
  readonly fullDecodeBytes: number;
  /** As EXIF counts, 1…8: how the picture in `safeBytes` has to be turned and mirrored. */
  readonly orientation: number;
  /** Whether it is 16-bit RGB with an embedded profile that counts. */
  readonly hasWideProfile: boolean;
  /** How its samples become sRGB where the library is not to convert them. */
  readonly colours?: ColourSpace;
  /**
   * Whether the library must not reduce it while decoding: of lossless JPEG it gives a part only then, and of a JPEG whose
   * end was added it does not tell that the last rows, 32 or so, are missing.
   */
  readonly isIrreducible: boolean;
  /** Whether an end of the image that it lacks is added in `safeBytes`. */
  readonly isEndAdded: boolean;
  /** Whether it shows further pictures after the first. */
  readonly isAnimated: boolean;
  /** What its own header says where that is nothing unusual. */
  readonly plain?: PlainJpeg;
  /** What the samples of a TIFF are. */
  readonly samples?: TiffSamples;
  /** What the header of a HEIC says, which another library decodes. */
  readonly heic?: HeicFacts;
}

/**
 * Tells format and upright size of an upload from its header, without decoding it.
 * @throws ERR_UPLOAD_MISSING, ERR_IMAGE_UNSUPPORTED, ERR_IMAGE_CORRUPT, ERR_IMAGE_TOO_MANY_PIXELS,
 * ERR_IMAGE_TOO_COSTLY
 */
export async function inspectImage(bytes: Uint8Array, limits: DecodeLimits): Promise<ImageFacts> {
  return (await measureImage(bytes, limits)).facts;
}

/**
 * Like `inspectImage`, with all that decoding needs to know.
 * @throws as `inspectImage`; ERR_DECODE_TIMEOUT, and ERR_DEADLINE when the caller is gone
 */
export async function measureImage(
  bytes: Uint8Array,
  limits: DecodeLimits,
  watch: DecodeWatch = noDeadline,
): Promise<MeasuredImage> {
  if (bytes.length === 0) throw new ServiceError('ERR_UPLOAD_MISSING', 'the image is empty');
  const format = sniffFormat(bytes);
  if (format === undefined || (format === 'heic' && limits.heic !== true)) throw toUnsupported(bytes);
  const header = readHeader(bytes, format);
  if (header.format === 'jpeg') assertJpegCoding(header);
  // The library ignores the screen of a GIF where that is absurd, and takes the size of its frames.
  const isSizeKnown = format !== 'gif';
  if (isSizeKnown) assertPixels(header.width, header.height, limits);
  assertPasses(header, limits);
  const plain = header.format === 'jpeg' ? readPlainJpeg(bytes, header) : undefined;
  if (plain !== undefined) return toMeasured(bytes, header, plain);
  if (isSizeKnown) assertAffordable(toDecodeBytes(header, header), limits);
  if (header.format === 'heic') return toUndecoded(bytes, header);
  const safeBytes = toSafeBytes(bytes, header);
  const metadata = await readMetadata(safeBytes, format, limits, watch);
  const { width, height } = metadata.autoOrient;
  assertPixels(width, height, limits);
  const orientation = metadata.orientation ?? 1;
  const decodeBytes = toDecodeBytes(header, metadata, orientation);
  assertAffordable(decodeBytes, limits);
  const colours = toColourSpace(header, metadata);
  return {
    facts: { format, width, height, bytes: bytes.length },
    safeBytes,
    decodeBytes,
    fullDecodeBytes: toFullDecodeBytes(header, metadata, colours),
    orientation,
    hasWideProfile: !colours && metadata.space === 'rgb16' && metadata.hasProfile,
    isIrreducible: header.format === 'jpeg' && isIrreducibleJpeg(header),
    isEndAdded: header.format === 'jpeg' && !header.isComplete,
    ...(colours && { colours }),
    ...toSamples(header, metadata.icc),
    isAnimated: (header.frames ?? 1) > 1,
  };
}

/** Nothing unusual. */
const ordinary = { hasWideProfile: false, isIrreducible: false, isEndAdded: false } as const;

/** Not limited by memory here: the library decodes it only if the native decoder rejects it. */
function toMeasured(bytes: Uint8Array, header: HeaderFacts, plain: PlainJpeg): MeasuredImage {
  const { coded, orientation } = plain;
  const { width, height } = orientation >= 5 ? toTurned(coded) : coded;
  return {
    facts: { format: 'jpeg', width, height, bytes: bytes.length },
    safeBytes: bytes,
    decodeBytes: toDecodeBytes(header, coded, orientation),
    fullDecodeBytes: toFullDecodeBytes(header, coded),
    orientation,
    ...ordinary,
    isAnimated: false,
    plain,
  };
}

/** The library has no decoder for HEIC. */
function toUndecoded(bytes: Uint8Array, heic: HeicFacts): MeasuredImage {
  const { width, height } = heic;
  return {
    facts: { format: 'heic', width, height, bytes: bytes.length },
    safeBytes: bytes,
    decodeBytes: toDecodeBytes(heic, heic),
    fullDecodeBytes: toFullDecodeBytes(heic, heic),
    orientation: 1,
    ...ordinary,
    isAnimated: (heic.frames ?? 1) > 1,
    heic,
  };
}

function toSamples(header: HeaderFacts, profile: Uint8Array | undefined): Pick<MeasuredImage, 'samples'> {
  if (header.format !== 'tiff') return {};
  // It is of the RGB that is made of the samples, which the library never sees.
  const isUnknown = profile !== undefined && !isStandardProfile(profile);
  if (header.samples.kind === 'ycbcr' && isUnknown) throw toUnfit('YCbCr with a colour profile');
  return { samples: header.samples };
}

/** Removes or changes parts that the library does not handle safely. */
function toSafeBytes(bytes: Uint8Array, header: HeaderFacts): Uint8Array {
  if (header.format === 'png') return dropCompressedText(bytes, header);
  if (header.format === 'avif') return withAvifBrand(bytes);
  if (header.format === 'tiff' && header.detour !== undefined) return withDetour(bytes, header.detour);
  if (header.format === 'jpeg' && !header.isComplete) return Buffer.concat([bytes, endOfImage]);
  return bytes;
}

/** Without it libvips fails where the file ends right behind its pixels, and not where any bytes follow them. */
const endOfImage = Buffer.of(0xff, 0xd9);

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
