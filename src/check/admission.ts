import type { Deadline } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import { AdmittedRequest } from './admitted-request.ts';
import { OverloadDetector } from './overload-detector.ts';

/** How much of what was measured counts for when the next image is done: about the last twenty. */
const decay = 0.95;

/**
 * Under a flood images take longer: refusals, and whoever sends them, want the CPU too. With 3 a worker refused some of 64
 * kept connections that upload 12 megapixels each, and those that came again at once took two thirds of its CPU.
 */
const safetyFactor = 2;

/** A request that was let in. */
export interface Permit {
  /** Aborted when its client is gone, and with ERR_OVERLOADED as the reason when it is sent away. */
  readonly signal: AbortSignal;
  /** To be called as each of its images is over. */
  readonly leave: () => void;
}

/**
 * Lets in what can be done in time, by the time that images took so far. Where more comes than can be done, and not just
 * at once, a full queue makes everybody wait and gets no more done: then only as many are inside as keep the worker busy.
 */
export class Admission {
  readonly #atWork: number;
  readonly #capacity: number;
  readonly #deadlineMs: number;
  readonly #overload: OverloadDetector;
  /** In the order they came. */
  readonly #admittedRequests = new Set<AdmittedRequest>();
  #admitted = 0;
  /** Since when the images at work have been worked on, on the clock of `performance.now()`. */
  #busySince = 0;
  #busyMs = 0;
  #finished = 0;

  /**
   * @param queueSize images that may wait
   * @param atWork images that can be worked on at one time
   * @param deadlineMs time for an image where its client does not ask for less
   */
  constructor(queueSize: number, atWork: number, deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
    this.#atWork = atWork;
    this.#capacity = queueSize + atWork;
    this.#overload = new OverloadDetector(atWork);
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
    if (this.#overload.remaining > 0 && this.#admitted >= this.#overload.busyImages) throw this.#refuseOverload();
    const total = this.#admitted + count;
    // A large request that does not fit beside few others says nothing, nor does one in a hurry.
    if (this.#isFull()) this.#noticeOverload();
    if (total > this.#capacity) {
      const detail = `${String(this.#admitted)} images are being checked already`;
      throw toOverloaded(detail, (total - this.#capacity) * this.#imageMs());
    }
    const lateMs = performance.now() + safetyFactor * total * this.#imageMs() - deadlineAt;
    if (lateMs <= 0) return;
    const detail = `with ${String(this.#admitted)} images ahead it would not be done by its deadline`;
    throw toOverloaded(detail, lateMs / safetyFactor);
  }

  /**
   * Admits the images of a request.
   * @throws ERR_OVERLOADED
   */
  admit(count: number, { deadlineAt, signal }: Deadline): Permit {
    this.assertRoom(count, deadlineAt);
    if (this.#admitted === 0) {
      const nowMs = performance.now();
      // In a slight overload, too, the worker has nothing to do now and then.
      if (nowMs - this.#busySince >= this.#atWork * this.#imageMs()) this.#overload.end();
      this.#busySince = nowMs;
    }
    this.#admitted += count;
    const request = new AdmittedRequest(count, signal, this.#overload.done);
    this.#admittedRequests.add(request);
    const leave = (): void => {
      this.#takeOut(request);
    };
    return { signal: request.signal, leave };
  }

  /** Begins the measurement anew: the time until now was spent on a load or a stuck thread, not on images. */
  resetEstimate(): void {
    this.#busySince = performance.now();
    this.#overload.end();
  }

  #takeOut(request: AdmittedRequest): void {
    this.#admitted -= 1;
    request.takeOut();
    if (request.inside === 0) this.#admittedRequests.delete(request);
    // Sent away: that took no time.
    if (request.refusal) return;
    this.#measure();
    // Those who give up while a model loads are no sign that it works.
    if (!request.signal.aborted) this.#overload.noteDone();
  }

  /** Whether one image more would be too many, or would not be done by the ordinary deadline. */
  #isFull(): boolean {
    const total = this.#admitted + 1;
    return total > this.#capacity || safetyFactor * total * this.#imageMs() > this.#deadlineMs;
  }

  /** Notices that a full queue is an overload, and sends away who is not among the last that keep the worker busy. */
  #noticeOverload(): void {
    const [longest] = this.#admittedRequests;
    if (!longest || !this.#overload.isLasting(longest.doneBefore, this.#admitted)) return;
    const refusal = this.#refuseOverload();
    let excess = this.#admitted - this.#overload.busyImages;
    for (const request of this.#admittedRequests) {
      if (excess <= 0) break;
      excess -= request.inside;
      request.sendAway(refusal);
    }
  }

  #refuseOverload(): ServiceError {
    this.#overload.noteRefusal();
    return toOverloaded('more images come than can be checked', this.#overload.remaining * this.#imageMs());
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
