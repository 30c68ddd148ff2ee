import type { ImageResult, LabelMap, LabelResult, ModelResult, RuleResult, Verdict } from '../check/types.ts';
import type { Problem } from '../problem.ts';

/** One image with its verdict; scores have four decimals, times one. */
export type CheckedImageBody = Omit<Extract<ImageResult, { kind: 'checked' }>, 'kind'>;

/** One image that could not be checked, beside others that could. */
export interface FailedImageBody {
  readonly name: string;
  readonly verdict: 'review';
  readonly error: Problem;
}

/** An image has either `checks` or `error`. */
export type ImageBody = CheckedImageBody | FailedImageBody;

/** The body of `POST /v1/check` with status 200; every other status has a {@link Problem}. */
export interface VerdictBody {
  readonly requestId: string;
  readonly verdict: Verdict;
  /** In the order of the request. */
  readonly images: readonly ImageBody[];
  readonly worker: { readonly slot: number; readonly pid: number };
}

export type { LabelMap as MapBody, LabelResult as LabelBody, ModelResult as ModelBody, RuleResult as RuleBody };
