import { ServiceError, toMessage } from '../errors.ts';
import type { EngineName, HungModel, ModelSnapshot } from '../ipc/messages.ts';
import type { CompileTask, GoldenRaster, LoadedFacts } from '../ipc/thread-messages.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';
import { HangError } from './hang-error.ts';
import { ImageQueue, type Inference, type InferenceRequest, type QueuedImage, type Subject } from './image-queue.ts';
import { type Hang, ModelLane } from './model-lane.ts';
import { ModelState } from './model-state.ts';
import type { LoadTask } from './thread-handle.ts';

/** What the room is built from. */
export interface InferenceOptions {
  readonly engine: EngineName;
  /** Threads, each with its own instance of every model. */
  readonly modelThreads: number;
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
  readonly onHang?: (hang: Hang) => void;
  readonly onLoaded?: (model: ModelVersion, loaded: LoadedFacts) => void;
  /** A batch goes to its thread; what is returned is called when it has come back, or is given up. */
  readonly onRun?: (model: ModelVersion, images: readonly Subject[]) => () => void;
  readonly onBatch?: (model: ModelVersion, count: number, runMs: number) => void;
}

/** Rasters in, scores out: lazy loading, the queue, batches, and the threads that TensorFlow lives in. */
export class InferenceService {
  readonly #options: InferenceOptions;
  readonly #states = new Map<string, ModelState>();
  readonly #queue: ImageQueue;
  readonly #lanes: readonly ModelLane[];

  constructor(options: InferenceOptions) {
    this.#options = options;
    this.#queue = new ImageQueue((key) => toExpired(this.#states.get(key)));
    const { engine, loadTimeoutMs, stuckMs } = options;
    const onLost = (): void => {
      this.#recover();
    };
    const onHang = (hang: Hang): void => options.onHang?.(hang);
    this.#lanes = Array.from(
      { length: options.modelThreads },
      () => new ModelLane({ engine, loadTimeoutMs, stuckMs, onLost, onHang }),
    );
  }

  /** @throws ERR_MODEL_UNAVAILABLE, ERR_WORKER_STUCK, ERR_DEADLINE */
  infer(model: ModelVersion, raster: Uint8Array, request: InferenceRequest): Promise<Inference> {
    const state = this.#stateOf(model);
    const key = toModelKey(model);
    const inference = this.#queue.add(key, raster, request);
    if (state.isReady()) this.#pump();
    else this.#prepare(key, state);
    return inference;
  }

  /** Loads a model now. @throws ERR_MODEL_UNAVAILABLE */
  load(model: ModelVersion): Promise<void> {
    return this.#stateOf(model).ensureReady();
  }

  /** Knows from the worker before this one that a model's load hangs; it is tried again after a back-off. */
  inherit(model: ModelVersion, hung: HungModel): void {
    this.#stateOf(model).inherit(hung);
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
    const known = this.#states.get(key);
    if (known) return known;
    const state = new ModelState(model, this.#options.loadTimeoutMs, () => this.#load(model));
    this.#states.set(key, state);
    return state;
  }

  async #load(model: ModelVersion): Promise<LoadedFacts> {
    const task = await this.#toLoadTask(model);
    const [first, ...others] = this.#lanes;
    const facts = first && (await this.#loadCompiled(first, task));
    if (!facts) throw new Error('there is no model thread');
    await Promise.all(others.map((lane) => lane.load(task)));
    this.#options.onLoaded?.(model, facts);
    return facts;
  }

  async #toLoadTask(model: ModelVersion): Promise<LoadTask> {
    const { loadGolden, artefacts, maxBatch } = this.#options;
    const golden = await loadGolden(model);
    return { model, golden, maxBatch, cacheDir: artefacts.cacheDir, wantsArtefact: false };
  }

  /** Loads a model as a compiled graph, which is made first where there is none. */
  async #loadCompiled(lane: ModelLane, task: LoadTask): Promise<LoadedFacts> {
    const { compile } = this.#options.artefacts;
    const { model, golden, cacheDir } = task;
    const first = await lane.load({ ...task, wantsArtefact: compile !== undefined });
    if (first.kind === 'loaded') return first;
    const fault = await compile?.({ model, cacheDir, tensorflowVersion: first.tensorflowVersion, golden });
    const second = await lane.load(task);
    if (second.kind !== 'loaded') throw new Error('the model thread would not load without an artefact');
    return fault === undefined ? second : { ...second, remarks: [...second.remarks, fault] };
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

  /** A thread is gone: a model that no other holds is cold again, and loaded anew where images wait for it. */
  #recover(): void {
    for (const [key, state] of this.#states) {
      if (!state.isReady()) continue;
      const lacking = this.#lanes.filter((lane) => !lane.has(key));
      if (lacking.length === this.#lanes.length) state.reset();
      else for (const lane of lacking) void this.#refill(lane, state.model);
    }
    for (const key of this.#queue.keys()) {
      const state = this.#states.get(key);
      if (state && !state.isReady()) this.#prepare(key, state);
    }
  }

  /** Brings a model into a fresh thread while others serve it; where that fails, they go on alone. */
  async #refill(lane: ModelLane, model: ModelVersion): Promise<void> {
    await this.#toLoadTask(model)
      .then((task) => lane.load(task))
      .catch(() => undefined);
    this.#pump();
  }

  /** While batches run, images gather; the next run takes what is there. Nobody waits at low load. */
  #pump(): void {
    for (const lane of this.#lanes) {
      if (!lane.isFree) continue;
      const waiting = this.#queue.keys().flatMap((key) => this.#states.get(key) ?? []);
      const state = waiting.find((candidate) => candidate.isReady() && lane.has(toModelKey(candidate.model)));
      if (state) void this.#runNext(lane, state);
    }
  }

  async #runNext(lane: ModelLane, state: ModelState): Promise<void> {
    const key = toModelKey(state.model);
    const free = this.#lanes.filter((other) => other.isFree && other.has(key)).length;
    const share = Math.ceil(this.#queue.depthOf(key) / free);
    const images = this.#queue.take(key, Math.min(share, this.#options.maxBatch, state.usefulBatch ?? Infinity));
    try {
      await this.#runBatch(lane, state.model, images);
    } catch (thrown) {
      const error = toRunError(state, thrown);
      for (const image of images) image.reject(error);
    }
    this.#pump();
  }

  async #runBatch(lane: ModelLane, model: ModelVersion, images: readonly QueuedImage[]): Promise<void> {
    const startedAt = performance.now();
    const subjects = images.map(({ subject }) => subject);
    const leave = this.#options.onRun?.(model, subjects);
    const { scores, runMs } = await lane.run(model, images).finally(() => leave?.());
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

/** A run that failed although its thread still lives is a bug of the model's; a lost thread is replaced. */
function toRunError(state: ModelState, thrown: unknown): ServiceError {
  if (thrown instanceof HangError)
    return new ServiceError('ERR_WORKER_STUCK', thrown.message, { retryAfterSeconds: 1 });
  const { name } = state.model;
  if (state.isReady()) return new ServiceError('ERR_INTERNAL', `model ${name} failed to run`, { cause: thrown });
  const detail = `model ${name} was lost while it ran: ${toMessage(thrown)}`;
  return new ServiceError('ERR_MODEL_UNAVAILABLE', detail, { retryAfterSeconds: 1 });
}
