/** Completions, in multiples of the concurrency limit, after which a full queue counts as overload rather than a burst. */
const sustained = 2;

/**
 * Images admitted during an overload, in multiples of the concurrency limit: the batch in progress and half of the next.
 * Simulated at three times the load, a factor of 2 adds a quarter to the latency for 1 % more throughput.
 */
const busy = 1.5;

/**
 * Completions since the last refusal, in multiples of the concurrency limit, after which an overload is over. With 4, at
 * 1.2 times the load, it ends repeatedly by chance, and 31 % of the admitted requests wait for longer than a second while
 * the queue fills up (`bench:queueing`); with 16 none does.
 */
const calm = 16;

/**
 * Distinguishes sustained overload from a burst. It counts completions instead of milliseconds, so that the same
 * thresholds fit fast and slow models, and loading a model changes nothing.
 */
export class OverloadDetector {
  readonly #concurrency: number;
  #done = 0;
  /** Value of `#done` at which the overload is over. */
  #endsAt = 0;

  /** @param concurrency images that are processed at one time */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Completions so far. */
  get done(): number {
    return this.#done;
  }

  /** Images that keep the worker busy. */
  get busyImages(): number {
    return Math.ceil(busy * this.#concurrency);
  }

  /** Completions left until the overload is over; 0 when there is none. */
  get remaining(): number {
    return Math.max(0, this.#endsAt - this.#done);
  }

  /**
   * Whether a full queue is more than a burst.
   * @param doneBefore completions when the oldest queued request was admitted
   */
  isSustained(doneBefore: number, inFlight: number): boolean {
    return this.#done - doneBefore >= Math.min(sustained * this.#concurrency, inFlight / 2);
  }

  /** Counts one completion. */
  recordCompletion(): void {
    this.#done += 1;
  }

  /** Begins or prolongs an overload. */
  recordRefusal(): void {
    this.#endsAt = this.#done + calm * this.#concurrency;
  }

  /** Ends the overload. */
  end(): void {
    this.#endsAt = this.#done;
  }
}
