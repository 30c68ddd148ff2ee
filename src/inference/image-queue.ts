import { ServiceError } from '../errors.ts';

/** One image's scores, and what they cost. */
export interface Inference {
  /** float32 `[labels]` */
  readonly scores: Float32Array;
  readonly queueMs: number;
  readonly inferenceMs: number;
}

/** One image that waits for a model. */
export interface QueuedImage {
  /** uint8 `[height, width, 3]` */
  readonly raster: Uint8Array;
  readonly queuedAt: number;
  resolve(inference: Inference): void;
  reject(error: Error): void;
}

/** How long an image may wait. */
export interface Waiting {
  /** On the clock of `performance.now()`. */
  readonly deadlineAt: number;
  readonly signal: AbortSignal;
}

/** Images that wait, the oldest of each model first; bounded over all models together. */
export class ImageQueue {
  readonly #queues = new Map<string, Set<QueuedImage>>();
  readonly #size: number;
  readonly #toExpired: (key: string) => ServiceError;

  /** @param toExpired says why an image of a key was not done in time */
  constructor(size: number, toExpired: (key: string) => ServiceError) {
    this.#size = size;
    this.#toExpired = toExpired;
  }

  depth(): number {
    return [...this.#queues.values()].reduce((sum, queue) => sum + queue.size, 0);
  }

  /**
   * Waits for the image's scores.
   * @throws ERR_OVERLOADED when the queue is full; what `toExpired` says when the image waited too long.
   */
  add(key: string, raster: Uint8Array, until: Waiting): Promise<Inference> {
    if (performance.now() >= until.deadlineAt) return Promise.reject(this.#toExpired(key));
    if (this.depth() >= this.#size) {
      const detail = `${String(this.#size)} images are waiting already`;
      return Promise.reject(new ServiceError('ERR_OVERLOADED', detail, { retryAfterSeconds: 1 }));
    }
    const queue = this.#queues.get(key) ?? new Set<QueuedImage>();
    this.#queues.set(key, queue);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        until.signal.removeEventListener('abort', onAbort);
        queue.delete(image);
      };
      const image: QueuedImage = {
        raster,
        queuedAt: performance.now(),
        resolve: (inference) => {
          leave();
          resolve(inference);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => {
        image.reject(new ServiceError('ERR_DEADLINE', 'the client is gone'));
      };
      const expire = (): void => {
        image.reject(this.#toExpired(key));
      };
      const timer = setTimeout(expire, Math.max(0, until.deadlineAt - performance.now()));
      until.signal.addEventListener('abort', onAbort, { once: true });
      queue.add(image);
    });
  }

  /**
   * Takes up to `count` images of one key. Their deadlines go on: a client is answered in time though
   * TensorFlow may take longer.
   */
  take(key: string, count: number): QueuedImage[] {
    const queue = this.#queues.get(key) ?? new Set();
    const taken = [...queue].slice(0, count);
    for (const image of taken) queue.delete(image);
    return taken;
  }

  /** Keys for which images wait, the one whose first image has waited longest first. */
  keys(): string[] {
    const heads = [...this.#queues].flatMap(([key, queue]) =>
      [...queue].slice(0, 1).map(({ queuedAt }) => ({ key, queuedAt })),
    );
    return heads.sort((a, b) => a.queuedAt - b.queuedAt).map(({ key }) => key);
  }
}
