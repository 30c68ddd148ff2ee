/** Batches done since the oldest request of a full queue arrived after which the queue is an overload, not a burst. */
const lasting = 2;

/**
 * Batches that are admitted during an overload: the one at work, and most of the next for when it is done.
 * Simulated at three times the load, twice what can be at work makes who is let in wait a quarter longer, for 1 % more done.
 */
const busy = 1.5;

/**
 * Batches done since the last refusal after which an overload is over. With 4, at 1.2 times the load, it ends again
 * and again by chance, and of those let in 31 % wait for longer than a second while the queue fills up (`bench:queueing`); with
 * 16 none does.
 */
const calm = 16;

/**
 * Tells an overload from a burst, and when it is over. Time is counted in images that were done, not in ms: so the same
 * holds for fast models and slow ones, and nothing is concluded while a model loads.
 */
export class OverloadDetector {
  readonly #atWork: number;
  #done = 0;
  /** What `#done` reaches when it is over. */
  #endsAt = 0;

  /** @param atWork images that can be worked on at one time */
  constructor(atWork: number) {
    this.#atWork = atWork;
  }

  /** Images that got a verdict. */
  get done(): number {
    return this.#done;
  }

  /** Images that keep the worker busy. */
  get busyImages(): number {
    return Math.ceil(busy * this.#atWork);
  }

  /** Images that are done without a refusal until it is over. */
  get remaining(): number {
    return Math.max(0, this.#endsAt - this.#done);
  }

  /**
   * Whether a full queue is more than a burst.
   * @param doneBefore images that had a verdict when the one that waits longest came
   */
  isLasting(doneBefore: number, admitted: number): boolean {
    return this.#done - doneBefore >= Math.min(lasting * this.#atWork, admitted / 2);
  }

  noteDone(): void {
    this.#done += 1;
  }

  /** Begins it, or keeps it up. */
  noteRefusal(): void {
    this.#endsAt = this.#done + calm * this.#atWork;
  }

  end(): void {
    this.#endsAt = this.#done;
  }
}
