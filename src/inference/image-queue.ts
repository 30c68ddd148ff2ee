import { type Deadline, type DeadlineEnd, toDeadlineEnd, watchDeadline } from '../deadline.ts';
import { ServiceError } from '../errors.ts';

/** One image's scores, and what they cost. */
export interface Inference {
  /** float32 `[labels]` */
  readonly scores: Float32Array;
  /** float32 `[rows, columns, labels]` over the raster, where it was asked for and the model has one. */
  readonly map?: Float32Array;
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
export interface InferenceRequest extends Deadline {
  readonly subject: Subject;
  /** Whether to answer a map, too, where the model has one. */
  readonly explain: boolean;
}

/** One image that waits for a model. */
export interface QueuedImage {
  /** uint8 `[height, width, 3]` */
  readonly raster: Uint8Array;
  readonly subject: Subject;
  readonly explain: boolean;
  readonly queuedAt: number;
  resolve(inference: Inference): void;
  reject(error: Error): void;
}

/** Images that wait for one model, in the order they came. */
export class ImageQueue {
  readonly #queued = new Set<QueuedImage>();
  readonly #toExpired: () => ServiceError;

  /** @param toExpired says why an image was not done in time */
  constructor(toExpired: () => ServiceError) {
    this.#toExpired = toExpired;
  }

  get depth(): number {
    return this.#queued.size;
  }

  /**
   * Waits for the image's scores.
   * @throws what `toExpired` says when the image waited too long, ERR_DEADLINE when its client is gone.
   */
  add(raster: Uint8Array, request: InferenceRequest): Promise<Inference> {
    const end = toDeadlineEnd(request);
    if (end !== undefined) return Promise.reject(this.toGivenUp(end));
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        stopWatch();
        this.#queued.delete(image);
      };
      const image: QueuedImage = {
        raster,
        subject: request.subject,
        explain: request.explain,
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
      const stopWatch = watchDeadline(request, (why) => {
        image.reject(this.toGivenUp(why));
      });
      this.#queued.add(image);
    });
  }

  /**
   * Takes up to `count` images. Their deadlines go on: a client is answered in time though TensorFlow may take longer.
   */
  take(count: number): QueuedImage[] {
    const taken = [...this.#queued].slice(0, count);
    for (const image of taken) this.#queued.delete(image);
    return taken;
  }

  /** The error for an image that nobody waits for any more. */
  toGivenUp(end: DeadlineEnd): ServiceError {
    return end === 'gone' ? new ServiceError('ERR_DEADLINE', 'the client is gone') : this.#toExpired();
  }
}
