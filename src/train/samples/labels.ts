/** Labels of the quality model, in the order of its outputs. */
export const qualityLabels = ['blurry', 'dark', 'overexposed', 'low_contrast', 'noisy', 'blocky', 'blank'] as const;

/** Target of a label; a weight of 0 means that it is unknown. */
export interface Target {
  /** 0…1 */
  readonly value: number;
  readonly weight: number;
}

/** Measured strength of a degradation, as it appears in the network's raster. */
export interface Strength {
  /** Spread of the blur as `kernels.measureSpread` defines it, in pixels of the raster. */
  readonly blur: number;
  /** Shares of the visible content that exposure turned black or white. */
  readonly black: number;
  readonly white: number;
  /** 98th minus 2nd percentile of luma, 0…255, before the degradation and after it. */
  readonly rangeBefore: number;
  readonly range: number;
  /** Root mean square of the noise in luma, 0…255, in pixels of the raster. */
  readonly noise: number;
  /** Lowest JPEG quality, 1…100, that the picture was saved with. */
  readonly quality: number;
}

/**
 * Content before degradation. Drawn: pages, screens and diagrams, whose pale colours may turn white without loss. Plain:
 * a wall, whose fine grain is no noise.
 */
export type Content =
  | { readonly kind: 'picture' }
  | { readonly kind: 'drawn' }
  | { readonly kind: 'plain' }
  /** A blank picture; `luma` is its brightness, 0…255. */
  | { readonly kind: 'blank'; readonly luma: number };

/** Ranges of strength: from barely visible, target 0, to obvious, target 1. */
const blurRange = [0.75, 1.5] as const;
const blackRange = [0.4, 0.8] as const;
const whiteRange = [0.2, 0.5] as const;
const flatRange = [110, 70] as const;
const noiseRange = [5, 12] as const;
const qualityRange = [34, 12] as const;
/** Loss by exposure above which most other labels are unknown. */
const maxLoss = 0.5;

/** Loss by exposure from which a picture is blank. */
const wholeLoss = 0.995;

/** Target from which a picture counts as having the fault. */
export const positiveFrom = 0.5;
/** Target up to which it counts as not having it; targets in between are borderline. */
export const negativeUpTo = 0.1;

const unknown: Target = { value: 0, weight: 0 };

/** Converts a measured strength to targets, in the order of {@link qualityLabels}. */
export function toTargets(strength: Strength, content: Content): readonly Target[] {
  if (content.kind === 'blank') return toBlankTargets(content.luma);
  const { blur, black, white, noise } = strength;
  const blocky = toShare(strength.quality, qualityRange);
  const isPlain = content.kind === 'plain';
  const isLost = Math.max(black, white) > maxLoss;
  const judge = (value: number, isUnknown: boolean): Target => ({ value, weight: isUnknown ? 0 : 1 });
  return [
    judge(toShare(blur, blurRange), isLost || (isPlain && blur > 0)),
    judge(toShare(black, blackRange), false),
    content.kind === 'drawn' ? judge(0, white > maxLoss) : judge(toShare(white, whiteRange), false),
    toFlatTarget(strength, isPlain),
    // Compression smooths noise away.
    judge(toShare(noise, noiseRange), isLost || isPlain || blocky > 0.3),
    judge(blocky, isLost || isPlain),
    toBlankTarget(strength, isPlain),
  ];
}

/** Targets of a lens cap, a burnt-out flash, an empty sheet. */
function toBlankTargets(luma: number): readonly Target[] {
  const dark = luma < 25 ? 1 : luma > 60 ? 0 : undefined;
  const overexposed = luma > 243 ? 1 : luma < 225 ? 0 : undefined;
  const [first, second] = [dark, overexposed].map((value) => (value === undefined ? unknown : { value, weight: 1 }));
  return [unknown, first ?? unknown, second ?? unknown, unknown, unknown, unknown, { value: 1, weight: 1 }];
}

function toFlatTarget({ black, white, range, rangeBefore }: Strength, isPlain: boolean): Target {
  // The photograph itself may have little contrast.
  const isByItself = rangeBefore < flatRange[0] && range > 0.8 * rangeBefore;
  if (isPlain || isByItself || black + white > maxLoss / 2) return unknown;
  return { value: toShare(range, flatRange), weight: 1 };
}

function toBlankTarget({ black, white, range }: Strength, isPlain: boolean): Target {
  const loss = Math.max(black, white);
  if (loss > wholeLoss) return { value: 1, weight: 1 };
  return { value: 0, weight: isPlain || loss > 0.95 || range < 12 ? 0 : 1 };
}

/** Converts a strength to its position between two bounds, 0…1. */
export function toShare(strength: number, [from, to]: readonly [number, number]): number {
  return Math.min(1, Math.max(0, (strength - from) / (to - from)));
}
