import type { Deadline } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import { AdmittedRequest } from './admitted-request.ts';
import { OverloadDetector } from './overload-detector.ts';

/** Weight of older samples in the moving average of the time per image: about the last twenty images count. */
const decay = 0.95;

/**
 * Images take longer under a flood, because refusals and the clients use CPU too. With 3, a worker refused some of 64
 * keep-alive connections that upload 12 megapixels each, and their immediate retries took two thirds of its CPU.
 */
const safetyFactor = 2;

/** The right to check the images of one request. */
export interface Permit {
  /** Aborted when the client disconnects, and with reason ERR_OVERLOADED when the request is shed. */
  readonly signal: AbortSignal;
  /** Releases one image of the request; called once per image. */
  readonly release: () => void;
}

/**
 * Admission control: admits what can be done by its deadline, judged by the time that images took so far. Under sustained
 * overload a full queue adds latency and no throughput, so admission then keeps only as many images in flight as keep the
 * worker busy, and sheds the rest.
 */
export class Admission {
  readonly #concurrency: number;
  readonly #capacity: number;
  readonly #deadlineMs: number;
  readonly #overload: OverloadDetector;
  /** In the order of their arrival. */
  readonly #admittedRequests = new Set<AdmittedRequest>();
  #inFlight = 0;
  /** When the measurement of the current images began, on the clock of `performance.now()`. */
  #busySince = 0;
  #busyMs = 0;
  #finished = 0;

  /**
   * @param queueSize images that may wait
   * @param concurrency images that are processed at one time
   * @param deadlineMs default time for an image
   */
  constructor(queueSize: number, concurrency: number, deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
    this.#concurrency = concurrency;
    this.#capacity = queueSize + concurrency;
    this.#overload = new OverloadDetector(concurrency);
  }

  /** Admitted images without a result yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Asserts that `count` images can be done by `deadlineAt`.
   * @param deadlineAt on the clock of `performance.now()`
   * @throws ERR_OVERLOADED with the time after which a retry makes sense
   */
  assertRoom(count: number, deadlineAt: number): void {
    // An idle worker always admits: waiting would not improve the odds.
    if (this.#inFlight === 0) return;
    if (this.#overload.remaining > 0 && this.#inFlight >= this.#overload.busyImages) throw this.#refuseOverload();
    const total = this.#inFlight + count;
    // Only a full queue is evidence of overload; a large request or a short deadline is not.
    if (this.#isFull()) this.#shedIfOverloaded();
    if (total > this.#capacity) {
      const detail = `the queue is full: ${String(this.#inFlight)} images are in flight`;
      throw toOverloaded(detail, (total - this.#capacity) * this.#imageMs());
    }
    const lateMs = performance.now() + safetyFactor * total * this.#imageMs() - deadlineAt;
    if (lateMs <= 0) return;
    const detail = `with ${String(this.#inFlight)} images in flight, this request would miss its deadline`;
    throw toOverloaded(detail, lateMs / safetyFactor);
  }

  /**
   * Admits the images of a request.
   * @throws ERR_OVERLOADED
   */
  admit(count: number, { deadlineAt, signal }: Deadline): Permit {
    this.assertRoom(count, deadlineAt);
    if (this.#inFlight === 0) {
      const nowMs = performance.now();
      // A short idle gap proves nothing: under slight overload the worker runs idle now and then.
      if (nowMs - this.#busySince >= this.#concurrency * this.#imageMs()) this.#overload.end();
      this.#busySince = nowMs;
    }
    this.#inFlight += count;
    const request = new AdmittedRequest(count, signal, this.#overload.done);
    this.#admittedRequests.add(request);
    const release = (): void => {
      this.#release(request);
    };
    return { signal: request.signal, release };
  }

  /** Restarts the measurement: the time until now was spent on a model load or a hung thread, not on images. */
  resetEstimate(): void {
    this.#busySince = performance.now();
    this.#overload.end();
  }

  #release(request: AdmittedRequest): void {
    this.#inFlight -= 1;
    request.release();
    if (request.inFlight === 0) this.#admittedRequests.delete(request);
    // A shed image took no time.
    if (request.refusal) return;
    this.#measure();
    // Clients that disconnect while a model loads are no sign of progress.
    if (!request.signal.aborted) this.#overload.recordCompletion();
  }

  /** Whether one more image would exceed the capacity or miss the default deadline. */
  #isFull(): boolean {
    const total = this.#inFlight + 1;
    return total > this.#capacity || safetyFactor * total * this.#imageMs() > this.#deadlineMs;
  }

  /** Sheds the oldest requests if the full queue is an overload, until the rest just keeps the worker busy. */
  #shedIfOverloaded(): void {
    const [oldest] = this.#admittedRequests;
    if (!oldest || !this.#overload.isSustained(oldest.doneBefore, this.#inFlight)) return;
    const refusal = this.#refuseOverload();
    let excess = this.#inFlight - this.#overload.busyImages;
    for (const request of this.#admittedRequests) {
      if (excess <= 0) break;
      excess -= request.inFlight;
      request.shed(refusal);
    }
  }

  #refuseOverload(): ServiceError {
    this.#overload.recordRefusal();
    return toOverloaded(
      'images arrive faster than this worker can check them',
      this.#overload.remaining * this.#imageMs(),
    );
  }

  #measure(): void {
    const nowMs = performance.now();
    this.#busyMs = this.#busyMs * decay + nowMs - this.#busySince;
    this.#finished = this.#finished * decay + 1;
    this.#busySince = nowMs;
  }

  /** Average time per image while the worker is busy. */
  #imageMs(): number {
    return this.#finished === 0 ? 0 : this.#busyMs / this.#finished;
  }
}

function toOverloaded(detail: string, waitMs: number): ServiceError {
  return new ServiceError('ERR_OVERLOADED', detail, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) });
}
