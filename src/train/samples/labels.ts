/** The labels of the quality model, in the order of its outputs. */
export const qualityLabels = ['blurry', 'dark', 'overexposed', 'low_contrast', 'noisy', 'blocky', 'blank'] as const;

/** What a label should say; a weight of 0 says that nobody can tell. */
export interface Target {
  /** 0…1 */
  readonly value: number;
  readonly weight: number;
}

/** What was measured while a picture was degraded, as the network's raster shows it. */
export interface Strength {
  /** Spread of the blur as `kernels.measureSpread` has it, in pixels of the raster. */
  readonly blur: number;
  /** Shares of what could be made out before that exposure turned black or white. */
  readonly black: number;
  readonly white: number;
  /** 98th less 2nd percentile of luma, 0…255, before the degradation and after it. */
  readonly rangeBefore: number;
  readonly range: number;
  /** Root mean square of the noise in luma, 0…255, in pixels of the raster. */
  readonly noise: number;
  /** Lowest quality, 1…100, that the picture was saved with as JPEG. */
  readonly quality: number;
}

/**
 * What sort of picture it was before it was degraded. Drawn are pages, screens and diagrams, whose pale colours may turn
 * white and nothing is lost; plain is a wall, whose fine grain is no noise.
 */
export type Content =
  | { readonly kind: 'picture' }
  | { readonly kind: 'drawn' }
  | { readonly kind: 'plain' }
  /** Nothing is to be seen; `luma` is its brightness, 0…255. */
  | { readonly kind: 'blank'; readonly luma: number };

/** From hardly seen to seen by everybody. */
const blurRange = [0.75, 1.5] as const;
const blackRange = [0.4, 0.8] as const;
const whiteRange = [0.2, 0.5] as const;
const flatRange = [110, 70] as const;
const noiseRange = [5, 12] as const;
const qualityRange = [34, 12] as const;
/** Where exposure took more of a picture, little else can be judged. */
const maxLoss = 0.5;

/** Where exposure left nothing at all. */
const wholeLoss = 0.995;

/** From this target on a picture has the fault. */
export const positiveFrom = 0.5;
/** Up to this target it has not; what lies between the two is worth a second look. */
export const negativeUpTo = 0.1;

const unknown: Target = { value: 0, weight: 0 };

/** Turns what was measured into targets, in the order of {@link qualityLabels}. */
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
    // What compression smoothed away is no noise any more.
    judge(toShare(noise, noiseRange), isLost || isPlain || blocky > 0.3),
    judge(blocky, isLost || isPlain),
    toBlankTarget(strength, isPlain),
  ];
}

/** A lens cap, a flash, an empty sheet. */
function toBlankTargets(luma: number): readonly Target[] {
  const dark = luma < 25 ? 1 : luma > 60 ? 0 : undefined;
  const overexposed = luma > 243 ? 1 : luma < 225 ? 0 : undefined;
  const [first, second] = [dark, overexposed].map((value) => (value === undefined ? unknown : { value, weight: 1 }));
  return [unknown, first ?? unknown, second ?? unknown, unknown, unknown, unknown, { value: 1, weight: 1 }];
}

function toFlatTarget({ black, white, range, rangeBefore }: Strength, isPlain: boolean): Target {
  // A haze that was there before is the photographer's.
  const isByItself = rangeBefore < flatRange[0] && range > 0.8 * rangeBefore;
  if (isPlain || isByItself || black + white > maxLoss / 2) return unknown;
  return { value: toShare(range, flatRange), weight: 1 };
}

function toBlankTarget({ black, white, range }: Strength, isPlain: boolean): Target {
  const loss = Math.max(black, white);
  if (loss > wholeLoss) return { value: 1, weight: 1 };
  return { value: 0, weight: isPlain || loss > 0.95 || range < 12 ? 0 : 1 };
}

/** How far a strength is from the first bound to the second, 0…1. */
export function toShare(strength: number, [from, to]: readonly [number, number]): number {
  return Math.min(1, Math.max(0, (strength - from) / (to - from)));
}
