import type { EngineName } from '../ipc/messages.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { startWatchdog } from '../watchdog.ts';
import { HangError } from './hang-error.ts';
import type { QueuedImage } from './image-queue.ts';
import { createRunDelayMeter } from './run-delay.ts';
import { type LoadOutcome, type LoadTask, type Scores, ThreadHandle } from './thread-handle.ts';

/** Native work that did not come back. */
export interface Hang {
  readonly reason: string;
  readonly model: ModelVersion;
  /** The batch; empty for a load. */
  readonly images: readonly QueuedImage[];
}

interface InstanceOptions {
  readonly engine: EngineName;
  readonly loadTimeoutMs: number;
  /** Time for TensorFlow to return a batch. */
  readonly stuckMs: number;
  readonly onStarted: () => void;
  /** The thread is gone, and the model with it; the next task starts a fresh one. */
  readonly onLost: () => void;
  readonly onHang: (hang: Hang) => void;
}

/** One instance of a model, in a thread of its own; a thread that hangs is left behind for a fresh one. */
export class ModelInstance {
  readonly #model: ModelVersion;
  readonly #options: InstanceOptions;
  #thread: ThreadHandle | undefined;
  #isLoaded = false;
  #isBusy = false;
  #spare: Uint8Array<ArrayBuffer> | undefined;

  constructor(model: ModelVersion, options: InstanceOptions) {
    this.#model = model;
    this.#options = options;
  }

  /** Whether the model is in the thread's memory. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Whether a batch can be run at once. */
  get isFree(): boolean {
    return this.#isLoaded && !this.#isBusy;
  }

  /** Starts the thread, and TensorFlow in it, for a load that follows. */
  start(): void {
    this.#getThread();
  }

  /** Loads the model, or says that it is not compiled yet. @throws HangError, Error with the reason. */
  async load(task: LoadTask): Promise<LoadOutcome> {
    const { loadTimeoutMs } = this.#options;
    const reason = `not loaded within ${String(loadTimeoutMs)} ms (supervisor.loadTimeoutMs)`;
    const outcome = await this.#perform((thread) => thread.load(task), loadTimeoutMs, reason, []);
    this.#isLoaded = outcome.kind === 'loaded';
    return outcome;
  }

  /** Runs one batch. @throws HangError when TensorFlow does not return it */
  async run(images: readonly QueuedImage[]): Promise<Scores> {
    const { stuckMs } = this.#options;
    const { length } = images;
    const reason = `model ${this.#model.name} did not return a batch of ${String(length)} within ${String(stuckMs)} ms`;
    const wantsMaps = images.some(({ explain }) => explain);
    const scores = await this.#perform(
      (thread) => thread.run(this.#toBatch(images), length, wantsMaps),
      stuckMs,
      reason,
      images,
    );
    this.#spare = scores.batch;
    return scores;
  }

  /** The one copy of an upload's pixels, into memory that moves to the thread and back: fresh one costs page faults. */
  #toBatch(images: readonly QueuedImage[]): Uint8Array<ArrayBuffer> {
    const size = images[0]?.raster.length ?? 0;
    const spare = this.#spare;
    this.#spare = undefined;
    const batch = spare?.length === size * images.length ? spare : new Uint8Array(size * images.length);
    for (const [index, { raster }] of images.entries()) batch.set(raster, index * size);
    return batch;
  }

  /** Waits for native work that may hang: it can't be interrupted, so its thread is left behind. */
  async #perform<T>(
    work: (thread: ThreadHandle) => Promise<T>,
    limitMs: number,
    reason: string,
    images: readonly QueuedImage[],
  ): Promise<T> {
    const thread = this.#getThread();
    this.#isBusy = true;
    const stopWatch = startWatchdog(limitMs, createRunDelayMeter, () => {
      thread.abandon(new HangError(reason));
      this.#options.onHang({ reason, model: this.#model, images });
      this.#lose(thread);
    });
    try {
      return await work(thread);
    } finally {
      stopWatch();
      // A thread that was lost meanwhile has been replaced, and the fresh one may be at work.
      if (this.#thread === thread) this.#isBusy = false;
    }
  }

  #getThread(): ThreadHandle {
    if (this.#thread) return this.#thread;
    const { engine, onStarted } = this.#options;
    const onLost = (): void => {
      this.#lose(thread);
    };
    const thread = new ThreadHandle(engine, { onStarted, onLost });
    this.#thread = thread;
    return thread;
  }

  #lose(thread: ThreadHandle): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    this.#isLoaded = false;
    this.#isBusy = false;
    this.#options.onLost();
  }
}
