import { type Deadline, type DeadlineEnd, toDeadlineEnd, watchDeadline } from '../deadline.ts';
import { ServiceError } from '../errors.ts';

/** One image's scores and timings. */
export interface Inference {
  /** float32 `[labels]` */
  readonly scores: Float32Array;
  /** float32 `[rows, columns, labels]` over the raster, if requested and the model has a map. */
  readonly map?: Float32Array;
  readonly queueMs: number;
  readonly inferenceMs: number;
}

/** Identifies an image in the report of a hung batch. */
export interface Subject {
  readonly requestId: string;
  /** SHA-256 of the upload, in hex. */
  readonly imageHash: string;
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

/** The image's identity and deadline. */
export interface InferenceRequest extends Deadline {
  readonly subject: Subject;
  /** Whether to return a map as well, if the model has one. */
  readonly explain: boolean;
}

/** One image in the queue of a model. */
export interface QueuedImage {
  /** uint8 `[height, width, 3]` */
  readonly raster: Uint8Array;
  readonly subject: Subject;
  readonly explain: boolean;
  readonly queuedAt: number;
  resolve(inference: Inference): void;
  reject(error: Error): void;
}

/** FIFO queue of images for one model. */
export class ImageQueue {
  readonly #queued = new Set<QueuedImage>();
  readonly #toExpired: () => ServiceError;

  /** @param toExpired creates the error for an image that missed its deadline */
  constructor(toExpired: () => ServiceError) {
    this.#toExpired = toExpired;
  }

  get depth(): number {
    return this.#queued.size;
  }

  /**
   * Queues an image and resolves with its scores.
   * @throws the error of `toExpired` at the deadline, ERR_DEADLINE if the client disconnected
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
   * Dequeues up to `count` images. Their deadlines stay active: clients are answered in time even if TensorFlow takes longer.
   */
  take(count: number): QueuedImage[] {
    const taken = [...this.#queued].slice(0, count);
    for (const image of taken) this.#queued.delete(image);
    return taken;
  }

  /** The error for an image whose request has ended. */
  toGivenUp(end: DeadlineEnd): ServiceError {
    return end === 'gone' ? new ServiceError('ERR_DEADLINE', 'the client is gone') : this.#toExpired();
  }
}
