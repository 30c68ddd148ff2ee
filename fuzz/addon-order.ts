import type { RasterShape } from '../src/image/types.ts';

/** The task of a process with sanitizers. */
export type AddonOrder =
  | {
      readonly kind: 'fuzz';
      readonly runSeed: number;
      readonly from: number;
      readonly to: number;
      /** By Date.now(). */
      readonly endsAt: number;
      /** Holds the number of the input that the addon works on. */
      readonly progressFile: string;
    }
  | { readonly kind: 'replay'; readonly file: string; readonly shapes: readonly RasterShape[] }
  /** Reads beyond the heap or has a signed number overflow, which must end the process. */
  | { readonly kind: 'planted'; readonly addon: string; readonly error: 'heap' | 'undefined' };

/** Counts of outcomes; `refused` inputs have too many pixels, `odd` ones are not decoded by the addon. */
export type AddonOutcome = 'raster' | 'given back' | 'odd' | 'refused';

/** Printed as the last line of stdout. */
export interface AddonReport {
  readonly next: number;
  readonly counts: Readonly<Record<AddonOutcome, number>>;
}
