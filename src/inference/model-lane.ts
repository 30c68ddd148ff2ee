import type { EngineName } from '../ipc/messages.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';
import { HangError } from './hang-error.ts';
import type { QueuedImage } from './image-queue.ts';
import { type LoadOutcome, type LoadTask, type Scores, ThreadHandle } from './thread-handle.ts';

/** Native work that did not come back. */
export interface Hang {
  readonly reason: string;
  readonly model: ModelVersion;
  /** The batch; empty for a load. */
  readonly images: readonly QueuedImage[];
}

interface LaneOptions {
  readonly engine: EngineName;
  readonly loadTimeoutMs: number;
  /** Time for TensorFlow to return a batch. */
  readonly stuckMs: number;
  /** The thread is gone, and all models with it; the next task starts a fresh one. */
  readonly onLost: () => void;
  readonly onHang: (hang: Hang) => void;
}

/** One model thread after the other: it does one task at a time, and a thread that hangs is left behind. */
export class ModelLane {
  readonly #options: LaneOptions;
  readonly #loaded = new Set<string>();
  #thread: ThreadHandle | undefined;
  /** Settles when every task so far is over. */
  #idle: Promise<void> = Promise.resolve();
  #tasks = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get isFree(): boolean {
    return this.#tasks === 0;
  }

  /** Whether a model is in this thread's memory. */
  has(key: string): boolean {
    return this.#loaded.has(key);
  }

  /** Loads a model, or says that it is not compiled yet. @throws HangError, Error with the reason. */
  async load(task: LoadTask): Promise<LoadOutcome> {
    const { loadTimeoutMs } = this.#options;
    const reason = `not loaded within ${String(loadTimeoutMs)} ms (supervisor.loadTimeoutMs)`;
    const hang = { reason, model: task.model, images: [] };
    const outcome = await this.#perform((thread) => thread.load(task), loadTimeoutMs, hang);
    if (outcome.kind === 'loaded') this.#loaded.add(toModelKey(task.model));
    return outcome;
  }

  /** Runs one batch. @throws HangError when TensorFlow does not return it */
  run(model: ModelVersion, images: readonly QueuedImage[]): Promise<Scores> {
    const { stuckMs } = this.#options;
    const reason = `model ${model.name} did not return a batch of ${String(images.length)} within ${String(stuckMs)} ms`;
    const hang = { reason, model, images };
    return this.#perform((thread) => thread.run(toModelKey(model), toBatch(images), images.length), stuckMs, hang);
  }

  /** Waits for native work that may hang: it can't be interrupted, so its thread is left behind. */
  async #perform<T>(work: (thread: ThreadHandle) => Promise<T>, limitMs: number, hang: Hang): Promise<T> {
    const before = this.#idle;
    let finish: () => void = () => undefined;
    this.#idle = new Promise((resolve) => (finish = resolve));
    this.#tasks += 1;
    // The clock of a task starts with the task: what is ahead of it in the thread has a clock of its own.
    if (this.#tasks > 1) await before;
    const thread = this.#getThread();
    const timer = setTimeout(() => {
      thread.abandon(new HangError(hang.reason));
      this.#options.onHang(hang);
      this.#lose(thread);
    }, limitMs);
    try {
      return await work(thread);
    } finally {
      clearTimeout(timer);
      this.#tasks -= 1;
      finish();
    }
  }

  #getThread(): ThreadHandle {
    if (this.#thread) return this.#thread;
    const thread = new ThreadHandle(this.#options.engine, () => {
      this.#lose(thread);
    });
    this.#thread = thread;
    return thread;
  }

  #lose(thread: ThreadHandle): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    this.#loaded.clear();
    this.#options.onLost();
  }
}

/** The one copy of an upload's pixels: from sharp's memory into the batch that moves to the thread. */
function toBatch(images: readonly QueuedImage[]): Uint8Array<ArrayBuffer> {
  const size = images[0]?.raster.length ?? 0;
  const batch = new Uint8Array(size * images.length);
  for (const [index, { raster }] of images.entries()) batch.set(raster, index * size);
  return batch;
}
