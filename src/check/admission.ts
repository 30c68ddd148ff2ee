import { ServiceError } from '../errors.ts';

/** How much of what was measured counts for when the next image is done: about the last twenty. */
const decay = 0.95;

/** Under a flood images take up to three times as long: refusals, and whoever sends them, want the CPU too. */
const caution = 3;

/** Lets in what can be done in time, by the time that images took so far. */
export class Admission {
  readonly #capacity: number;
  #admitted = 0;
  /** Since when the images at work have been worked on, on the clock of `performance.now()`. */
  #busySince = 0;
  #busyMs = 0;
  #finished = 0;

  /** @param capacity images that may be inside at one time */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Images that are inside. */
  get admitted(): number {
    return this.#admitted;
  }

  /**
   * Makes sure that `count` images can be done by `deadlineAt`.
   * @param deadlineAt on the clock of `performance.now()`
   * @throws ERR_OVERLOADED with the time after which they could be.
   */
  assertRoom(count: number, deadlineAt: number): void {
    // Whoever comes to an idle worker is let in: there is no better moment.
    if (this.#admitted === 0) return;
    const total = this.#admitted + count;
    if (total > this.#capacity) {
      const detail = `${String(this.#admitted)} images are being checked already`;
      throw toOverloaded(detail, (total - this.#capacity) * this.#imageMs());
    }
    const lateMs = performance.now() + caution * total * this.#imageMs() - deadlineAt;
    if (lateMs <= 0) return;
    const detail = `with ${String(this.#admitted)} images ahead it would not be done by its deadline`;
    throw toOverloaded(detail, lateMs / caution);
  }

  /**
   * Admits the images of a request.
   * @returns a function to be called as each of them is over
   * @throws ERR_OVERLOADED
   */
  admit(count: number, deadlineAt: number): () => void {
    this.assertRoom(count, deadlineAt);
    if (this.#admitted === 0) this.#busySince = performance.now();
    this.#admitted += count;
    return () => {
      this.#admitted -= 1;
      this.#measure();
    };
  }

  /** Begins the measurement anew: the time until now was spent on a load or a stuck thread, not on images. */
  forgive(): void {
    this.#busySince = performance.now();
  }

  #measure(): void {
    const nowMs = performance.now();
    this.#busyMs = this.#busyMs * decay + nowMs - this.#busySince;
    this.#finished = this.#finished * decay + 1;
    this.#busySince = nowMs;
  }

  /** Time that the worker needs for one image more, while it is busy. */
  #imageMs(): number {
    return this.#finished === 0 ? 0 : this.#busyMs / this.#finished;
  }
}

function toOverloaded(detail: string, waitMs: number): ServiceError {
  return new ServiceError('ERR_OVERLOADED', detail, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) });
}
