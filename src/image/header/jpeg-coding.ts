import { ServiceError } from '../../errors.ts';
import { toCorrupt } from '../failures.ts';
import type { JpegFacts } from './jpeg.ts';

/** Lossless, Huffman-coded (SOF3). */
const lossless = 0xc3;
/** Sequential and progressive, arithmetic-coded (SOF9, SOF10). */
const arithmetic = new Set([0xc9, 0xca]);
/** Lossless, arithmetic-coded (SOF11). */
const arithmeticLossless = 0xcb;
/** SOF5 to SOF7, SOF13 to SOF15. */
const hierarchical = new Set([0xc5, 0xc6, 0xc7, 0xcd, 0xce, 0xcf]);

/**
 * Whether the library must not reduce a JPEG while decoding: a lossless one is not made of blocks, and of one whose end was
 * added it does not report missing rows then.
 */
export function isIrreducibleJpeg({ coding, isComplete }: JpegFacts): boolean {
  return coding === lossless || !isComplete;
}

/**
 * Makes sure that a JPEG is of a kind that decoders here take.
 * @throws ERR_IMAGE_UNSUPPORTED, ERR_IMAGE_CORRUPT
 */
export function assertJpegCoding({ coding, bitDepth, channels, isComplete }: JpegFacts): void {
  if (hierarchical.has(coding)) throw toUnsupported('hierarchical JPEG');
  if (coding === arithmeticLossless) throw toUnsupported('lossless JPEG with arithmetic coding');
  // libjpeg-turbo leaves lossless samples of fewer bits as they are: dark.
  const isOtherDepth = bitDepth === 12 || (coding === lossless && bitDepth !== 8 && bitDepth >= 2 && bitDepth <= 16);
  if (isOtherDepth) throw toUnsupported(`JPEG of ${String(bitDepth)} bits a sample`);
  if (![1, 3, 4].includes(channels)) throw toUnsupported(`JPEG of ${String(channels)} components`);
  // The decoder fills in missing data without a warning, so truncation cannot be detected.
  if (arithmetic.has(coding) && !isComplete) throw toCorrupt('jpeg');
}

function toUnsupported(kind: string): ServiceError {
  return new ServiceError('ERR_IMAGE_UNSUPPORTED', `${kind} is not supported: send a baseline or progressive JPEG`);
}
