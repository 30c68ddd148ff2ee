import { ServiceError } from '../errors.ts';
import { toWaitingEnd, type Waiting, type WaitingEnd, watchWaiting } from '../waiting.ts';

/** One image's scores, and what they cost. */
export interface Inference {
  /** float32 `[labels]` */
  readonly scores: Float32Array;
  readonly queueMs: number;
  readonly inferenceMs: number;
}

/** What an operator must know of an image that TensorFlow never returns. */
export interface Subject {
  readonly requestId: string;
  /** SHA-256 of the upload, in hex. */
  readonly imageHash: string;
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

/** Whose image it is, and how long it may wait. */
export interface InferenceRequest extends Waiting {
  readonly subject: Subject;
}

/** One image that waits for a model. */
export interface QueuedImage {
  /** uint8 `[height, width, 3]` */
  readonly raster: Uint8Array;
  readonly subject: Subject;
  readonly queuedAt: number;
  resolve(inference: Inference): void;
  reject(error: Error): void;
}

/** Images that wait, the oldest of each model first. */
export class ImageQueue {
  readonly #queues = new Map<string, Set<QueuedImage>>();
  readonly #toExpired: (key: string) => ServiceError;

  /** @param toExpired says why an image of a key was not done in time */
  constructor(toExpired: (key: string) => ServiceError) {
    this.#toExpired = toExpired;
  }

  depth(): number {
    return [...this.#queues.values()].reduce((sum, queue) => sum + queue.size, 0);
  }

  /**
   * Waits for the image's scores.
   * @throws what `toExpired` says when the image waited too long, ERR_DEADLINE when its client is gone.
   */
  add(key: string, raster: Uint8Array, request: InferenceRequest): Promise<Inference> {
    const end = toWaitingEnd(request);
    if (end !== undefined) return Promise.reject(this.#toGivenUp(key, end));
    const queue = this.#queues.get(key) ?? new Set<QueuedImage>();
    this.#queues.set(key, queue);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        stopWatch();
        queue.delete(image);
      };
      const image: QueuedImage = {
        raster,
        subject: request.subject,
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
      const stopWatch = watchWaiting(request, (why) => {
        image.reject(this.#toGivenUp(key, why));
      });
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

  /** Images that wait for one key. */
  depthOf(key: string): number {
    return this.#queues.get(key)?.size ?? 0;
  }

  /** Keys for which images wait, the one whose first image has waited longest first. */
  keys(): string[] {
    const heads = [...this.#queues].flatMap(([key, queue]) =>
      [...queue].slice(0, 1).map(({ queuedAt }) => ({ key, queuedAt })),
    );
    return heads.sort((a, b) => a.queuedAt - b.queuedAt).map(({ key }) => key);
  }

  #toGivenUp(key: string, end: WaitingEnd): ServiceError {
    return end === 'gone' ? new ServiceError('ERR_DEADLINE', 'the client is gone') : this.#toExpired(key);
  }
}
