import { setMaxListeners } from 'node:events';
import { ServiceError } from '../errors.ts';

/** An admitted request: counts its images in flight, and can be shed. */
export class AdmittedRequest {
  /** Completions of the worker when the request was admitted. */
  readonly doneBefore: number;
  readonly #ending = new AbortController();
  readonly #stopListening: () => void;
  #inFlight: number;

  /** @param clientGone aborted when the client disconnects */
  constructor(count: number, clientGone: AbortSignal, doneBefore: number) {
    this.#inFlight = count;
    this.doneBefore = doneBefore;
    // Each image of the request adds a listener.
    setMaxListeners(0, this.#ending.signal);
    const end = (): void => {
      this.#ending.abort();
    };
    if (clientGone.aborted) end();
    clientGone.addEventListener('abort', end, { once: true });
    this.#stopListening = () => {
      clientGone.removeEventListener('abort', end);
    };
  }

  /** Images without a result yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Aborted when the client disconnects or the request is shed. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** The error of a shed request. */
  get refusal(): ServiceError | undefined {
    const reason: unknown = this.#ending.signal.reason;
    return reason instanceof ServiceError ? reason : undefined;
  }

  /** Aborts its images; the client gets `refusal`. */
  shed(refusal: ServiceError): void {
    this.#ending.abort(refusal);
  }

  /** Counts one image as finished. */
  release(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#stopListening();
  }
}
