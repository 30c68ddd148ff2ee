import type { Target } from '../samples/labels.ts';

/** What was done to a photograph, each with a strength of its own. */
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

/** A picture as it would be uploaded, with what is known of it. */
export interface LabelledPicture {
  readonly photo: string;
  readonly kind: Kind;
  /** In the unit of its kind, as a reader should see it, e.g. "σ 2.1 px", "−3 stops", "quality 12"; bucketed by `level`. */
  readonly strength: string;
  /** 0 harmless … 4 strongest: the rows of the table "per strength". */
  readonly level: number;
  readonly bytes: Buffer;
  /** In the order of the labels. */
  readonly targets: readonly Target[];
}
