import type { ImageFacts } from '../image/types.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ModelVersion } from '../model/model-version.ts';
import type { RuleResult } from './types.ts';

/** Enlarging an image more than this leaves too little detail for a network that was trained on larger ones. */
const maxEnlargement = 8;

/** The minimum shorter side, in pixels: the manifest's, else derived from the input size. */
export function toMinSide({ width, height, minSide }: Manifest['input']): number {
  return minSide ?? Math.ceil(Math.min(width, height) / maxEnlargement);
}

/** The rule result for an image that is too small for a model; undefined otherwise. */
export function judgeSize({ name, manifest }: ModelVersion, { width, height }: ImageFacts): RuleResult | undefined {
  const [limit, actual] = [toMinSide(manifest.input), Math.min(width, height)];
  return actual < limit ? { rule: 'too_small', limit, actual, verdict: 'review', model: name } : undefined;
}
