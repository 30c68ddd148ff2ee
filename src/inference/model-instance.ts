import type { EngineName } from '../ipc/messages.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { startWatchdog } from '../watchdog.ts';
import { HangError } from './hang-error.ts';
import type { QueuedImage } from './image-queue.ts';
import { createRunDelayMeter } from './run-delay.ts';
import { type LoadOutcome, type LoadTask, type Scores, ThreadHandle } from './thread-handle.ts';

/** A native call that exceeded its time limit. */
export interface Hang {
  readonly reason: string;
  readonly model: ModelVersion;
  /** The images of the batch; empty for a load. */
  readonly images: readonly QueuedImage[];
}

interface InstanceOptions {
  readonly engine: EngineName;
  readonly loadTimeoutMs: number;
  /** Time limit of a batch. */
  readonly stuckMs: number;
  readonly onStarted: () => void;
  /** The thread ended or was abandoned, and its model with it; the next task starts a new one. */
  readonly onLost: () => void;
  readonly onHang: (hang: Hang) => void;
}

/** One loaded copy of a model in its own thread; a thread that hangs is abandoned and replaced. */
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

  /** Whether the thread has loaded the model. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Whether a batch can start now. */
  get isFree(): boolean {
    return this.#isLoaded && !this.#isBusy;
  }

  /** Starts the thread and its engine ahead of a load. */
  start(): void {
    this.#getThread();
  }

  /** Loads the model, or reports that it is not compiled yet. @throws HangError, Error with the reason */
  async load(task: LoadTask): Promise<LoadOutcome> {
    const { loadTimeoutMs } = this.#options;
    const reason = `not loaded within ${String(loadTimeoutMs)} ms (supervisor.loadTimeoutMs)`;
    const outcome = await this.#perform((thread) => thread.load(task), loadTimeoutMs, reason, []);
    this.#isLoaded = outcome.kind === 'loaded';
    return outcome;
  }

  /** Runs one batch. @throws HangError after `stuckMs` */
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

  /** The only copy of an upload's pixels. The buffer is transferred to the thread and back: a new one costs page faults. */
  #toBatch(images: readonly QueuedImage[]): Uint8Array<ArrayBuffer> {
    const size = images[0]?.raster.length ?? 0;
    const spare = this.#spare;
    this.#spare = undefined;
    const batch = spare?.length === size * images.length ? spare : new Uint8Array(size * images.length);
    for (const [index, { raster }] of images.entries()) batch.set(raster, index * size);
    return batch;
  }

  /** Awaits native work with a time limit: it can't be interrupted, so a thread that hangs is abandoned. */
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
      // A thread lost meanwhile has been replaced, and the new one may be busy.
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
