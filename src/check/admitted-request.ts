import { setMaxListeners } from 'node:events';
import { ServiceError } from '../errors.ts';

/** A request whose images were let in. */
export class AdmittedRequest {
  /** Images of the worker that had a verdict when it came. */
  readonly doneBefore: number;
  readonly #ending = new AbortController();
  readonly #stopListening: () => void;
  #inside: number;

  /** @param clientGone aborted when nobody waits for it any more */
  constructor(count: number, clientGone: AbortSignal, doneBefore: number) {
    this.#inside = count;
    this.doneBefore = doneBefore;
    // Every image of the request listens.
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

  /** Images of it that are inside. */
  get inside(): number {
    return this.#inside;
  }

  /** Aborted when its client is gone or it is sent away. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** What it is answered when it was sent away. */
  get refusal(): ServiceError | undefined {
    const reason: unknown = this.#ending.signal.reason;
    return reason instanceof ServiceError ? reason : undefined;
  }

  /** Ends the wait of its images. */
  sendAway(refusal: ServiceError): void {
    this.#ending.abort(refusal);
  }

  /** Counts one image less. */
  takeOut(): void {
    this.#inside -= 1;
    if (this.#inside === 0) this.#stopListening();
  }
}
