import { ServiceError } from '../../errors.ts';
import type { DecodeLimits } from '../types.ts';
import { toTooMany } from './header-facts.ts';
import type { HeaderFacts } from './read-header.ts';

/**
 * Scans of a JPEG that has as many pixels as are allowed. Each costs up to 15 ms at 50 million pixels, in a call that can't
 * be interrupted. Encoders write up to ten for colour, and eighteen for CMYK.
 */
const maxScansOfLargest = 20;
/** Of a JPEG of any size. */
const maxScans = 100;
/** Tiles at the right and at the bottom reach beyond the picture. */
const maxTileShare = 2;

/**
 * Makes sure that the decoder does not go over far more pixels than the picture has.
 * @throws ERR_IMAGE_TOO_COSTLY
 */
export function assertPasses(facts: HeaderFacts, { maxPixels }: DecodeLimits): void {
  if (facts.format === 'jpeg') {
    if (facts.scans > maxScans) throw toTooMany('scans', maxScans);
    const pixels = facts.scans * facts.width * facts.height;
    if (facts.scans > 1 && pixels > maxScansOfLargest * maxPixels) {
      throw toTooCostly(`${String(facts.scans)} scans go over ${String(pixels)} pixels`, maxScansOfLargest * maxPixels);
    }
  } else if (facts.format === 'avif' || facts.format === 'heic') {
    const pixels =
      facts.format === 'heic' ? facts.codedPixels : Math.max(...facts.pictures.map(({ codedPixels }) => codedPixels));
    if (pixels > maxTileShare * maxPixels) {
      throw toTooCostly(`the tiles have ${String(pixels)} pixels`, maxTileShare * maxPixels);
    }
  }
}

/**
 * Makes sure that a picture can be decoded in the memory that there is.
 * @throws ERR_IMAGE_TOO_COSTLY
 */
export function assertAffordable(decodeBytes: number, { maxDecodeBytes }: DecodeLimits): void {
  if (decodeBytes <= maxDecodeBytes) return;
  throw toTooCostly(`decoding the image takes ${String(Math.ceil(decodeBytes))} bytes`, maxDecodeBytes);
}

function toTooCostly(what: string, limit: number): ServiceError {
  return new ServiceError('ERR_IMAGE_TOO_COSTLY', `${what}; at most ${String(limit)} are accepted`);
}
