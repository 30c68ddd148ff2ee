import { InvalidArgumentError } from 'commander';
import type { Manifest } from '../model/manifest.ts';

/**
 * Adds one `label=review,reject` to the previous ones; either threshold may be omitted.
 * @throws InvalidArgumentError
 */
export function addThresholds(text: string, before: Manifest['policy'] = {}): Manifest['policy'] {
  const [, label = '', thresholds = ''] = /^(.+)=([^=]*)$/.exec(text) ?? [];
  const [review, reject, ...others] = thresholds.split(',').map(toThreshold);
  const isUsable = [review, reject].every((value) => value === undefined || (value >= 0 && value <= 1));
  if (label === '' || others.length > 0 || !isUsable || (review === undefined && reject === undefined)) {
    throw new InvalidArgumentError('must be label=review,reject with numbers from 0 to 1, e.g. blurry=0.5,0.8');
  }
  if (Object.hasOwn(before, label)) throw new InvalidArgumentError(`names ${label} twice`);
  if (review !== undefined && reject !== undefined && review > reject) {
    throw new InvalidArgumentError(`review of ${label} is above reject`);
  }
  return { ...before, [label]: { ...(review !== undefined && { review }), ...(reject !== undefined && { reject }) } };
}

/** @returns NaN if the text is not a number */
function toThreshold(text: string): number | undefined {
  return text.trim() === '' ? undefined : Number(text);
}
