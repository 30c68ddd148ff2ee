import type { Strength } from './degradation.ts';

/** The labels of the quality model, in the order of its outputs. */
export const qualityLabels = ['blurry', 'dark', 'overexposed'] as const;

export type QualityLabel = (typeof qualityLabels)[number];

/** A score of `review` or more flags a picture, one of `reject` or more refuses it. */
export const policy: Readonly<Record<QualityLabel, { readonly review: number; readonly reject: number }>> = {
  blurry: { review: 0.5, reject: 0.8 },
  dark: { review: 0.5, reject: 0.8 },
  overexposed: { review: 0.5, reject: 0.8 },
};

/** What the network shall answer for one label; a weight of 0 says that nobody can tell. */
export interface Target {
  readonly value: number;
  readonly weight: number;
}

/** A blur of 0.2 % of the long side is hardly seen, of 0.7 % by everybody. */
const blurRange = [0.002, 0.007] as const;
const blackRange = [0.4, 0.8] as const;
const whiteRange = [0.3, 0.7] as const;
/** Where more of the picture is lost, sharpness can't be judged. */
const maxLossToJudgeBlur = 0.6;

/** Turns the strength of a degradation into targets, in the order of {@link qualityLabels}. */
export function toTargets({ blur, black, white }: Strength): readonly Target[] {
  const isJudgeable = Math.max(black, white) <= maxLossToJudgeBlur;
  return [
    { value: toShare(blur, blurRange), weight: isJudgeable ? 1 : 0 },
    { value: toShare(black, blackRange), weight: 1 },
    { value: toShare(white, whiteRange), weight: 1 },
  ];
}

function toShare(strength: number, [from, to]: readonly [number, number]): number {
  return Math.min(1, Math.max(0, (strength - from) / (to - from)));
}
