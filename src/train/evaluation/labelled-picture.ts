import type { Target } from '../samples/labels.ts';

/** Kinds of degradation. */
export const kinds = [
  'original',
  'defocus',
  'motion',
  'soft background',
  'underexposure',
  'overexposure',
  'low contrast',
  'noise',
  'compression',
  'blank',
  'combination',
] as const;

export type Kind = (typeof kinds)[number];

/** A picture as it would be uploaded, with its kind of degradation and targets. */
export interface LabelledPicture {
  readonly photo: string;
  readonly kind: Kind;
  /** For display, in the unit of its kind: "σ 2.1 px", "−3 stops", "quality 12". */
  readonly strength: string;
  /** 0 harmless … 4 strongest. */
  readonly level: number;
  readonly bytes: Buffer;
  /** In the order of the labels. */
  readonly targets: readonly Target[];
}
