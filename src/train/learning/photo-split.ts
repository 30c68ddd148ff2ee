import { exitCodes, ExitError } from '../../errors.ts';
import type { Photo } from '../samples/photos.ts';
import { createRandom, shuffle } from '../samples/random.ts';

/** The photographs of the training, calibration and held-out sets. */
export interface PhotoSplit {
  readonly training: readonly Photo[];
  readonly calibration: readonly Photo[];
  readonly heldOut: readonly Photo[];
}

const leastPhotos = 3;
const heldOutShare = 0.2;
const calibrationShare = 0.12;

/**
 * Assigns each photograph to one set at random.
 * @throws {@link ExitError} 78 where there are too few.
 */
export function splitPhotos(photos: readonly Photo[], seed: number): PhotoSplit {
  if (photos.length < leastPhotos) {
    const needed = 'training needs at least one each for training, calibration and evaluation';
    throw new ExitError(exitCodes.configuration, `${String(photos.length)} photographs: ${needed}`);
  }
  const order = shuffle(createRandom(seed), photos);
  const heldOut = Math.max(1, Math.round(photos.length * heldOutShare));
  const calibrationEnd = heldOut + Math.max(1, Math.round(photos.length * calibrationShare));
  return {
    heldOut: order.slice(0, heldOut),
    calibration: order.slice(heldOut, calibrationEnd),
    training: order.slice(calibrationEnd),
  };
}
