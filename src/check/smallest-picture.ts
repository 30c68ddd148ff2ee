import type { ImageFacts } from '../image/types.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ModelVersion } from '../model/model-version.ts';
import type { RuleResult } from './types.ts';

/** A picture that is enlarged more than this has too little in it for a network that learnt from larger ones. */
const maxEnlargement = 8;

/** The shortest side, in pixels, of pictures that a model judges where its manifest doesn't say. */
export function toMinSide({ width, height, minSide }: Manifest['input']): number {
  return minSide ?? Math.ceil(Math.min(width, height) / maxEnlargement);
}

/** What is said of a picture that is too small for a model; undefined of one that is not. */
export function judgeSize({ name, manifest }: ModelVersion, { width, height }: ImageFacts): RuleResult | undefined {
  const [limit, actual] = [toMinSide(manifest.input), Math.min(width, height)];
  return actual < limit ? { rule: 'too_small', limit, actual, verdict: 'review', model: name } : undefined;
}
