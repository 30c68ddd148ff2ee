import type { Deadline } from '../deadline.ts';
import type { ServiceError } from '../errors.ts';
import type { Area } from '../image/map-layout.ts';
import type { ImageFacts } from '../image/types.ts';
import type { EngineName } from '../ipc/messages.ts';
import { type Verdict, verdicts } from '../model/policy.ts';

// Whoever shows a verdict asks this room for it, which has its policy from the models.
export { type Verdict, verdicts };

/** One uploaded file. */
export interface UploadedImage {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What to check, and until when. */
export interface CheckRequest extends Deadline {
  readonly requestId: string;
  readonly images: readonly UploadedImage[];
  /** `name` or `name@version`; empty for the default models. */
  readonly models: readonly string[];
  /** Profiles of picture rules; empty for the one named `default`, if there is one. */
  readonly rules: readonly string[];
  /** Undefined for `check.policy`. */
  readonly policy: string | undefined;
  /** Whether to tell where flagged labels show, of models that know. */
  readonly explain: boolean;
}

/** Where in a picture a label shows: a grid of scores that lies over the upright picture. */
export interface LabelMap {
  readonly columns: number;
  readonly rows: number;
  /** From the top, each row from left to right; 0…1. */
  readonly scores: readonly (readonly number[])[];
  /** What of the picture the grid lies over, in shares of its width and height; all of it where absent. */
  readonly area?: Area;
}

/** One label's part in a verdict; a label without thresholds never flags. */
export interface LabelResult {
  readonly label: string;
  /** 0…1 */
  readonly score: number;
  readonly thresholds?: { readonly review?: number; readonly reject?: number };
  readonly verdict: Verdict;
  /** Of flagged labels, where it was asked for and the model has one. */
  readonly map?: LabelMap;
}

/** What an answer can say of a picture's header; `too_small` is a model's rule, the others are the operator's. */
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
  /** What the picture has. */
  readonly actual: number | boolean | string;
  readonly verdict: Verdict;
  /** Of `too_small`: the model that gives no labels. */
  readonly model?: string;
}

/** What one model says of one image. */
export interface ModelResult {
  readonly model: string;
  readonly version: string;
  readonly engine: EngineName;
  /** Where the request or the configuration names one: whose thresholds hold, `default` for a model that lacks it. */
  readonly policy?: string;
  readonly verdict: Verdict;
  /** None of a picture that is too small for the model. */
  readonly labels: readonly LabelResult[];
}

/** Milliseconds that one image spent in each step. */
export interface ImageTimings {
  readonly decode: number;
  readonly queue: number;
  readonly inference: number;
}

/** One image's outcome: checked, or the error that stands in place of its checks. */
export type ImageResult =
  | {
      readonly kind: 'checked';
      readonly name: string;
      readonly verdict: Verdict;
      readonly image: ImageFacts;
      /** Where there are rules that apply. */
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

/** The product: one request → one verdict. */
export interface CheckService {
  /**
   * Says beforehand whether a request would be let in now.
   * @param deadlineAt on the clock of `performance.now()`
   * @param mayBeJpeg whether its header leaves open that it carries a JPEG
   * @throws {@link ServiceError} ERR_OVERLOADED.
   */
  assertRoom(deadlineAt: number, mayBeJpeg: boolean): void;
  /** @throws {@link ServiceError} where no image of the request could be checked: the first image's error. */
  check(request: CheckRequest): Promise<CheckResult>;
  /** Images that got a verdict since the start. */
  checked(): number;
}
