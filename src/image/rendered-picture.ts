import { processBands, toBandRows } from './bands.ts';
import type { DecodeTurn } from './decode-gate.ts';
import type { Size } from './types.ts';

/** Samples of a picture, as the library gives them. */
export type Samples = Uint8Array | Uint16Array;

/**
 * Converts samples to sRGB.
 * @param samples [n, channels]
 * @param pixels uint8 [n, 3], which may be the memory of `samples`
 */
export type SampleConversion = (samples: Samples, pixels: Uint8Array) => void;

/** A picture as the library rendered it. */
export interface RenderedPicture extends Size {
  /** [height, width, channels], 8-bit sRGB of three channels where there is no conversion. */
  readonly samples: Samples;
  readonly channels: number;
  readonly convert?: SampleConversion;
}

/** Pixels per band: about 10 ms. */
export const pixelsPerBand = 2 ** 17;

/**
 * Converts a picture.
 * @returns uint8 [height, width, 3]
 * @throws as `processBands`
 */
export async function convertPicture(
  picture: RenderedPicture,
  turn: Pick<DecodeTurn, 'assertWanted'>,
): Promise<Uint8Array> {
  const { samples, channels, width, height, convert } = picture;
  if (convert === undefined) return toBytes(samples);
  const pixels = new Uint8Array(width * height * 3);
  await processBands(height, toBandRows(width, pixelsPerBand), turn, (from, to) => {
    const band = samples.subarray(from * width * channels, to * width * channels);
    convert(band, pixels.subarray(from * width * 3, to * width * 3));
  });
  return pixels;
}

/** The pixels of a picture that needs no conversion. */
export function toBytes(samples: Samples): Uint8Array {
  if (samples instanceof Uint8Array) return samples;
  throw new Error('samples of 16 bits need a conversion');
}
