import { ServiceError, toMessage } from '../errors.ts';
import type { EngineName, ModelSnapshot } from '../ipc/messages.ts';
import type { CompileTask, GoldenRaster, LoadedFacts } from '../ipc/thread-messages.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';
import { ImageQueue, type Inference, type QueuedImage, type Waiting } from './image-queue.ts';
import { ModelState } from './model-state.ts';
import { type LoadOutcome, ThreadHandle } from './thread-handle.ts';

/** What the room is built from. */
export interface InferenceOptions {
  readonly engine: EngineName;
  readonly queueSize: number;
  readonly maxBatch: number;
  readonly loadTimeoutMs: number;
  /** Time for TensorFlow to return a batch. */
  readonly stuckMs: number;
  /** Decodes a model's golden images; their scores are compared when it is loaded. */
  readonly loadGolden: (model: ModelVersion) => Promise<GoldenRaster[]>;
  readonly artefacts: {
    /** The user's folder of artefacts, beside those that models bring. */
    readonly cacheDir: string;
    /** Compiles a model in a process of its own; undefined to serve models as they are. Answers what went wrong. */
    readonly compile?: (task: CompileTask) => Promise<string | undefined>;
  };
  /** A thread hangs in native code for good: this process can't be mended, only replaced. */
  readonly onStuck?: (reason: string) => void;
  readonly onLoaded?: (model: ModelVersion, loaded: LoadedFacts) => void;
  readonly onBatch?: (model: ModelVersion, count: number, runMs: number) => void;
}

/** Rasters in, scores out: lazy loading, the queue, batches, and the thread that TensorFlow lives in. */
export class InferenceService {
  readonly #options: InferenceOptions;
  readonly #states = new Map<string, ModelState>();
  readonly #queue: ImageQueue;
  /** Started when the first model is wanted. */
  #thread: ThreadHandle | undefined;
  #isBusy = false;

  constructor(options: InferenceOptions) {
    this.#options = options;
    this.#queue = new ImageQueue(options.queueSize, (key) => toExpired(this.#states.get(key)));
  }

  /** @throws ERR_MODEL_UNAVAILABLE, ERR_OVERLOADED, ERR_DEADLINE */
  infer(model: ModelVersion, raster: Uint8Array, until: Waiting): Promise<Inference> {
    const state = this.#stateOf(model);
    const key = toModelKey(model);
    const inference = this.#queue.add(key, raster, until);
    if (state.isReady()) this.#pump();
    else this.#prepare(key, state);
    return inference;
  }

  /** Loads a model now. @throws ERR_MODEL_UNAVAILABLE */
  load(model: ModelVersion): Promise<void> {
    return this.#stateOf(model).ensureReady();
  }

  /** The state of a model in this worker, whether it was ever used or not. */
  toSnapshot(model: ModelVersion): ModelSnapshot {
    return this.#stateOf(model).toSnapshot(this.#options.engine);
  }

  queueDepth(): number {
    return this.#queue.depth();
  }

  #stateOf(model: ModelVersion): ModelState {
    const key = toModelKey(model);
    const state = this.#states.get(key) ?? new ModelState(model, () => this.#load(model));
    this.#states.set(key, state);
    return state;
  }

  async #load(model: ModelVersion): Promise<LoadedFacts> {
    const { artefacts, loadGolden } = this.#options;
    const golden = await loadGolden(model);
    const task = { model, golden, cacheDir: artefacts.cacheDir };
    const first = await this.#loadInThread({ ...task, wantsArtefact: artefacts.compile !== undefined });
    if (first.kind === 'loaded') return first;
    const { tensorflowVersion } = first;
    const fault = await artefacts.compile?.({ model, cacheDir: artefacts.cacheDir, tensorflowVersion, golden });
    const second = await this.#loadInThread({ ...task, wantsArtefact: false });
    if (second.kind !== 'loaded') throw new Error('the model thread would not load without an artefact');
    return fault === undefined ? second : { ...second, remarks: [...second.remarks, fault] };
  }

  async #loadInThread(task: Parameters<ThreadHandle['load']>[0]): Promise<LoadOutcome> {
    const thread = this.#getThread();
    const { loadTimeoutMs } = this.#options;
    const late = new Error(`not loaded within ${String(loadTimeoutMs)} ms (supervisor.loadTimeoutMs)`);
    const outcome = await this.#watch(thread, thread.load(task), loadTimeoutMs, late);
    if (outcome.kind === 'loaded') this.#options.onLoaded?.(task.model, outcome);
    return outcome;
  }

  /**
   * Waits for native work that may hang: it can't be interrupted, so its thread is left behind, and a fresh one takes
   * over what waits.
   */
  async #watch<T>(thread: ThreadHandle, working: Promise<T>, limitMs: number, late: Error): Promise<T> {
    const timer = setTimeout(() => {
      thread.abandon(late);
      this.#loseThread(thread);
      this.#options.onStuck?.(late.message);
    }, limitMs);
    return working.finally(() => {
      clearTimeout(timer);
    });
  }

  #getThread(): ThreadHandle {
    if (this.#thread) return this.#thread;
    const thread = new ThreadHandle(this.#options.engine, () => {
      this.#loseThread(thread);
    });
    this.#thread = thread;
    return thread;
  }

  /** Brings the model that images of `key` wait for into memory, then runs them; if it can't, they fail. */
  #prepare(key: string, state: ModelState): void {
    state.ensureReady().then(
      () => {
        this.#pump();
      },
      (thrown: unknown) => {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        for (const image of this.#queue.take(key, Infinity)) image.reject(error);
      },
    );
  }

  /** A thread is gone: models are cold again, and those for which images wait are loaded into a new one. */
  #loseThread(thread: ThreadHandle): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    for (const state of this.#states.values()) state.reset();
    for (const key of this.#queue.keys()) {
      const state = this.#states.get(key);
      if (state) this.#prepare(key, state);
    }
  }

  /** While a batch runs, images gather; the next run takes what is there. Nobody waits at low load. */
  #pump(): void {
    if (this.#isBusy) return;
    const waiting = this.#queue.keys().flatMap((key) => this.#states.get(key) ?? []);
    const state = waiting.find((candidate) => candidate.isReady());
    if (!state) return;
    const size = Math.min(this.#options.maxBatch, state.usefulBatch ?? Infinity);
    const images = this.#queue.take(toModelKey(state.model), size);
    this.#isBusy = true;
    void this.#runBatch(state.model, images)
      .catch((thrown: unknown) => {
        const error = toRunError(state, thrown);
        for (const image of images) image.reject(error);
      })
      .finally(() => {
        this.#isBusy = false;
        this.#pump();
      });
  }

  async #runBatch(model: ModelVersion, images: readonly QueuedImage[]): Promise<void> {
    const startedAt = performance.now();
    const thread = this.#getThread();
    const running = thread.run(toModelKey(model), toBatch(images), images.length);
    const { stuckMs } = this.#options;
    const { scores, runMs } = await this.#watch(thread, running, stuckMs, toStuck(model, images.length, stuckMs));
    this.#options.onBatch?.(model, images.length, runMs);
    const inferenceMs = performance.now() - startedAt;
    const labels = scores.length / images.length;
    for (const [index, image] of images.entries()) {
      const own = scores.subarray(index * labels, (index + 1) * labels);
      image.resolve({ scores: own, queueMs: startedAt - image.queuedAt, inferenceMs });
    }
  }
}

/** Waiting for a load counts toward the deadline; the load itself goes on for those who come later. */
function toExpired(state: ModelState | undefined): ServiceError {
  if (state?.isReady()) return new ServiceError('ERR_DEADLINE', 'the image was admitted, but not done by the deadline');
  const detail = `model ${state?.model.name ?? ''} was still loading at the deadline`;
  return new ServiceError('ERR_MODEL_UNAVAILABLE', detail, { retryAfterSeconds: 1 });
}

function toStuck({ name }: ModelVersion, count: number, stuckMs: number): ServiceError {
  const detail = `model ${name} did not return a batch of ${String(count)} within ${String(stuckMs)} ms`;
  return new ServiceError('ERR_WORKER_STUCK', detail, { retryAfterSeconds: 1 });
}

/** A run that failed although its thread still lives is a bug of the model's; a lost thread is replaced. */
function toRunError(state: ModelState, thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  const { name } = state.model;
  if (state.isReady()) return new ServiceError('ERR_INTERNAL', `model ${name} failed to run`, { cause: thrown });
  const detail = `model ${name} was lost while it ran: ${toMessage(thrown)}`;
  return new ServiceError('ERR_MODEL_UNAVAILABLE', detail, { retryAfterSeconds: 1 });
}

/** The one copy of an upload's pixels: from sharp's memory into the batch that moves to the thread. */
function toBatch(images: readonly QueuedImage[]): Uint8Array<ArrayBuffer> {
  const size = images[0]?.raster.length ?? 0;
  const batch = new Uint8Array(size * images.length);
  for (const [index, { raster }] of images.entries()) batch.set(raster, index * size);
  return batch;
}
