import type { Deadline } from '../deadline.ts';
import type { ServiceError } from '../errors.ts';
import type { Area } from '../image/map-layout.ts';
import type { ImageFacts } from '../image/types.ts';
import type { EngineName } from '../ipc/messages.ts';
import { type Verdict, verdicts } from '../model/policy.ts';

// Re-exported: rooms that show verdicts import them from here, not from the models.
export { type Verdict, verdicts };

/** One uploaded file. */
export interface UploadedImage {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What to check, and its deadline. */
export interface CheckRequest extends Deadline {
  readonly requestId: string;
  readonly images: readonly UploadedImage[];
  /** `name` or `name@version`; empty for the default models. */
  readonly models: readonly string[];
  /** Profiles of picture rules; empty for the one named `default`, if there is one. */
  readonly rules: readonly string[];
  /** Undefined for `check.policy`. */
  readonly policy: string | undefined;
  /** Whether to include maps of flagged labels, for models that have them. */
  readonly explain: boolean;
}

/** Where in an image a label shows: a grid of scores over the upright image. */
export interface LabelMap {
  readonly columns: number;
  readonly rows: number;
  /** From the top, each row from left to right; 0…1. */
  readonly scores: readonly (readonly number[])[];
  /** The part of the image that the grid covers, as fractions of its width and height; absent: all of it. */
  readonly area?: Area;
}

/** One label's part in a verdict; a label without thresholds never flags. */
export interface LabelResult {
  readonly label: string;
  /** 0…1 */
  readonly score: number;
  readonly thresholds?: { readonly review?: number; readonly reject?: number };
  readonly verdict: Verdict;
  /** Only of flagged labels, on request, if the model has one. */
  readonly map?: LabelMap;
}

/** Names of image rules; `too_small` is a model's rule, the others are the operator's. */
export type RuleName =
  | 'minWidth'
  | 'minHeight'
  | 'maxWidth'
  | 'maxHeight'
  | 'minAspect'
  | 'maxAspect'
  | 'formats'
  | 'animated'
  | 'too_small';

/** One rule's part in a verdict. */
export interface RuleResult {
  readonly rule: RuleName;
  readonly limit: number | boolean | readonly string[];
  /** The image's value. */
  readonly actual: number | boolean | string;
  readonly verdict: Verdict;
  /** Only of `too_small`: the model that returns no labels. */
  readonly model?: string;
}

/** Result of one model for one image. */
export interface ModelResult {
  readonly model: string;
  readonly version: string;
  readonly engine: EngineName;
  /** Applied policy, if the request or the configuration names one; `default` for a model that lacks it. */
  readonly policy?: string;
  readonly verdict: Verdict;
  /** Empty for an image that is too small for the model. */
  readonly labels: readonly LabelResult[];
}

/** Milliseconds per step of one image. */
export interface ImageTimings {
  readonly decode: number;
  readonly queue: number;
  readonly inference: number;
}

/** Outcome of one image: its checks, or the error in their place. */
export type ImageResult =
  | {
      readonly kind: 'checked';
      readonly name: string;
      readonly verdict: Verdict;
      readonly image: ImageFacts;
      /** Present if any rules apply. */
      readonly rules?: readonly RuleResult[];
      readonly checks: readonly ModelResult[];
      readonly timingsMs: ImageTimings;
    }
  | { readonly kind: 'failed'; readonly name: string; readonly verdict: 'review'; readonly error: ServiceError };

/** The outcome of a request in which at least one image was checked. */
export interface CheckResult {
  readonly verdict: Verdict;
  readonly images: readonly ImageResult[];
}

/** Checks images: one request → one verdict. */
export interface CheckService {
  /**
   * Asserts that a request would be admitted now.
   * @param deadlineAt on the clock of `performance.now()`
   * @param mayBeJpeg false when its headers exclude a JPEG
   * @throws {@link ServiceError} ERR_OVERLOADED.
   */
  assertRoom(deadlineAt: number, mayBeJpeg: boolean): void;
  /** @throws {@link ServiceError} where no image of the request could be checked: the first image's error. */
  check(request: CheckRequest): Promise<CheckResult>;
  /** Images with a verdict since the start. */
  checked(): number;
}
