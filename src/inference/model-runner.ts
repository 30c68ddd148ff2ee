import { type Deadline, watchDeadline } from '../deadline.ts';
import { ServiceError, toMessage } from '../errors.ts';
import type { LoadedFacts } from '../ipc/thread-messages.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { hidePaths } from '../public-text.ts';
import { HangError } from './hang-error.ts';
import { ImageQueue, type Inference, type InferenceRequest, type QueuedImage } from './image-queue.ts';
import type { InferenceOptions } from './inference-options.ts';
import { type Hang, ModelInstance } from './model-instance.ts';
import { ModelState } from './model-state.ts';
import type { LoadTask } from './thread-handle.ts';

/** Runs one model: lazy loading, its queue, batches and its instances. */
export class ModelRunner {
  readonly state: ModelState;
  readonly #model: ModelVersion;
  readonly #options: InferenceOptions;
  readonly #queue = new ImageQueue(() => this.#toExpired());
  readonly #instances: readonly ModelInstance[];

  constructor(model: ModelVersion, options: InferenceOptions) {
    this.#model = model;
    this.#options = options;
    const { engine, loadTimeoutMs, stuckMs, isDefault, modelThreads } = options;
    this.state = new ModelState(model, {
      loadTimeoutMs,
      isDefault: isDefault(model),
      load: () => this.#load(),
      onFailed: (reason) => options.onLoadFailed?.(model, reason),
    });
    const onLost = (): void => {
      this.#recover();
    };
    const onHang = (hang: Hang): void => options.onHang?.(hang);
    const onStarted = (): void => options.onStarted?.();
    const instanceOptions = { engine, loadTimeoutMs, stuckMs, onStarted, onLost, onHang };
    this.#instances = Array.from({ length: modelThreads }, () => new ModelInstance(model, instanceOptions));
  }

  get queueDepth(): number {
    return this.#queue.depth;
  }

  /** @throws ERR_MODEL_UNAVAILABLE, ERR_WORKER_STUCK, ERR_DEADLINE */
  infer(raster: Uint8Array, request: InferenceRequest): Promise<Inference> {
    const inference = this.#queue.add(raster, request);
    if (this.state.isReady()) this.#pump();
    else this.#prepare();
    return inference;
  }

  /**
   * Loads the model and waits for `started` or the end of the load, successful or not.
   * @throws as `infer` at the deadline
   */
  waitForStart(started: Promise<void>, deadline: Deadline): Promise<void> {
    return new Promise((resolve, reject) => {
      const stopWatch = watchDeadline(deadline, (end) => {
        reject(this.#queue.toGivenUp(end));
      });
      const loaded = this.state.ensureReady().catch(() => undefined);
      void Promise.race([started, loaded]).then(resolve).finally(stopWatch);
    });
  }

  async #load(): Promise<LoadedFacts> {
    const [first, ...others] = this.#instances;
    // The engine starts while golden images are decoded.
    first?.start();
    const task = await this.#toLoadTask();
    const facts = first && (await this.#loadCompiled(first, task));
    if (!facts) throw new Error('there is no model thread');
    await Promise.all(others.map((instance) => instance.load(task)));
    this.#options.onLoaded?.(this.#model, facts);
    return facts;
  }

  async #toLoadTask(): Promise<LoadTask> {
    const { loadGolden, artefacts, maxBatch } = this.#options;
    const golden = await loadGolden(this.#model);
    return { model: this.#model, golden, maxBatch, cacheDir: artefacts.cacheDir, wantsArtefact: false };
  }

  /** Loads a model as a compiled graph, compiling it first if needed. */
  async #loadCompiled(instance: ModelInstance, task: LoadTask): Promise<LoadedFacts> {
    const { compile } = this.#options.artefacts;
    const { model, golden, cacheDir } = task;
    const first = await instance.load({ ...task, wantsArtefact: compile !== undefined });
    if (first.kind === 'loaded') return first;
    const fault = await compile?.({ model, cacheDir, tensorflowVersion: first.tensorflowVersion, golden });
    const second = await instance.load(task);
    if (second.kind !== 'loaded') throw new Error('the model thread would not load without an artefact');
    return fault === undefined ? second : { ...second, remarks: [...second.remarks, fault] };
  }

  /** Loads the model, then runs the queued images; they fail if the load fails. */
  #prepare(): void {
    this.state.ensureReady().then(
      () => {
        this.#pump();
      },
      (thrown: unknown) => {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        for (const image of this.#queue.take(Infinity)) image.reject(error);
      },
    );
  }

  /** After the loss of a thread: if it was the last with the model, the model is cold, and reloaded if images are queued. */
  #recover(): void {
    if (!this.state.isReady()) return;
    if (this.#instances.some(({ isLoaded }) => isLoaded)) {
      for (const instance of this.#instances) if (!instance.isLoaded) void this.#refill(instance);
      return;
    }
    this.state.reset();
    if (this.#queue.depth > 0) this.#prepare();
  }

  /** Reloads the model in a new thread while others serve it; if that fails, they continue without it. */
  async #refill(instance: ModelInstance): Promise<void> {
    await this.#toLoadTask()
      .then((task) => instance.load(task))
      .catch((thrown: unknown) => this.#options.onLoadFailed?.(this.#model, toMessage(thrown)));
    this.#pump();
  }

  /** Images queue while batches run, and the next batch takes them. At low load no image waits for a batch to fill. */
  #pump(): void {
    for (const instance of this.#instances) if (instance.isFree && this.#queue.depth > 0) void this.#runNext(instance);
  }

  async #runNext(instance: ModelInstance): Promise<void> {
    const share = Math.ceil(this.#queue.depth / this.#instances.filter(({ isFree }) => isFree).length);
    const images = this.#queue.take(Math.min(share, this.#options.maxBatch, this.state.usefulBatch ?? Infinity));
    try {
      await this.#runBatch(instance, images);
    } catch (thrown) {
      const error = this.#toRunError(thrown);
      for (const image of images) image.reject(error);
    }
    this.#pump();
  }

  async #runBatch(instance: ModelInstance, images: readonly QueuedImage[]): Promise<void> {
    const startedAt = performance.now();
    const subjects = images.map(({ subject }) => subject);
    const leave = this.#options.onRun?.(this.#model, subjects);
    const { scores, maps, runMs } = await instance.run(images).finally(() => leave?.());
    this.#options.onBatch?.(this.#model, images.length, runMs);
    const inferenceMs = performance.now() - startedAt;
    const toOwn = (all: Float32Array, index: number): Float32Array => {
      const length = all.length / images.length;
      return all.subarray(index * length, (index + 1) * length);
    };
    for (const [index, image] of images.entries()) {
      const map = image.explain && maps && { map: toOwn(maps, index) };
      image.resolve({ scores: toOwn(scores, index), ...map, queueMs: startedAt - image.queuedAt, inferenceMs });
    }
  }

  /** Waiting for a load counts toward the deadline; the load continues for later requests. */
  #toExpired(): ServiceError {
    if (this.state.isReady()) {
      return new ServiceError('ERR_DEADLINE', 'the image was admitted, but not done by the deadline');
    }
    const detail = `model ${this.#model.name} was still loading at the deadline`;
    return new ServiceError('ERR_MODEL_UNAVAILABLE', detail, { retryAfterSeconds: 1 });
  }

  /** A run that fails in a live thread is a bug of the model; a lost thread is replaced. */
  #toRunError(thrown: unknown): ServiceError {
    if (thrown instanceof HangError) {
      return new ServiceError('ERR_WORKER_STUCK', thrown.message, { retryAfterSeconds: 1 });
    }
    const { name } = this.#model;
    if (this.state.isReady()) return new ServiceError('ERR_INTERNAL', `model ${name} failed to run`, { cause: thrown });
    const detail = `model ${name} was lost while it ran: ${hidePaths(toMessage(thrown), this.#model.dir)}`;
    return new ServiceError('ERR_MODEL_UNAVAILABLE', detail, { retryAfterSeconds: 1 });
  }
}
