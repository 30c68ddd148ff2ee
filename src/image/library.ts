import { isMainThread } from 'node:worker_threads';
import sharp, { type Sharp, type SharpOptions } from 'sharp';
import type { Size } from './types.ts';

// Uploads do not repeat, and one worker per CPU already fills the machine.
sharp.cache(false);
sharp.concurrency(1);

// Blocking affects the whole process: a new thread would close loaders that others are using.
if (isMainThread) closeOtherLoaders();

/**
 * No other loader can be reached, regardless of the bytes. UltraHDR's is excluded on purpose: its gain map is not used
 * here, and the plain JPEG loader reads such a photo without it.
 */
function closeOtherLoaders(): void {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: [
      'VipsForeignLoadJpeg',
      'VipsForeignLoadPng',
      'VipsForeignLoadWebp',
      'VipsForeignLoadNsgif',
      'VipsForeignLoadHeif',
      'VipsForeignLoadTiff',
    ],
  });
}

/** How much damage the library tolerates, and how large a picture it opens. */
type OpenOptions = Required<Pick<SharpOptions, 'failOn' | 'limitInputPixels'>> & Pick<SharpOptions, 'ignoreIcc'>;

/** Opens the first frame of a picture for reading front to back, with the library's own safety limits on. */
export function openPicture(bytes: Uint8Array, options: OpenOptions): Sharp {
  return sharp(bytes, { ...options, pages: 1, sequentialRead: true, unlimited: false, limitInputChannels: 5 });
}

/** Opens pixels, uint8 [size.height, size.width, 3]. */
export function openPixels(pixels: Uint8Array, { width, height }: Size): Sharp {
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/**
 * Turns pixels by a quarter, clockwise. Turned within its decode, a picture would be decoded whole before the library
 * begins to watch its timeout.
 * @param pixels - uint8 [size.height, size.width, 3]
 * @returns uint8 [size.width, size.height, 3]
 */
export function turnPixels(pixels: Uint8Array, size: Size): Promise<Uint8Array> {
  return openPixels(pixels, size).rotate(90).raw().toBuffer();
}
