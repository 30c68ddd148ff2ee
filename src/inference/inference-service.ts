import type { Deadline } from '../deadline.ts';
import type { HungModel, ModelSnapshot } from '../ipc/messages.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';
import type { Inference, InferenceRequest } from './image-queue.ts';
import type { InferenceOptions } from './inference-options.ts';
import { ModelRunner } from './model-runner.ts';

/** Rasters in, scores out. Each model has its own threads, so a model that hangs or loads slowly delays no other. */
export class InferenceService {
  readonly #options: InferenceOptions;
  readonly #runners = new Map<string, ModelRunner>();
  readonly #started: Promise<void>;
  #hasStarted = false;

  constructor(options: InferenceOptions) {
    let noteStart: () => void = () => undefined;
    this.#started = new Promise((resolve) => (noteStart = resolve));
    const onStarted = (): void => {
      options.onStarted?.();
      this.#hasStarted = true;
      noteStart();
    };
    this.#options = { ...options, onStarted };
  }

  /** @throws ERR_MODEL_UNAVAILABLE, ERR_WORKER_STUCK, ERR_DEADLINE */
  infer(model: ModelVersion, raster: Uint8Array, request: InferenceRequest): Promise<Inference> {
    return this.#runnerOf(model).infer(raster, request);
  }

  /** Loads a model now. @throws ERR_MODEL_UNAVAILABLE */
  load(model: ModelVersion): Promise<void> {
    return this.#runnerOf(model).state.ensureReady();
  }

  /**
   * Waits until the first load of a model has loaded the engine into this process, or has failed.
   * @throws ERR_MODEL_UNAVAILABLE or ERR_DEADLINE at the deadline
   */
  async waitForStart(model: ModelVersion, deadline: Deadline): Promise<void> {
    if (!this.#hasStarted) await this.#runnerOf(model).waitForStart(this.#started, deadline);
  }

  /** Takes over from the previous worker that loading a model hung, so that this one retries after a backoff. */
  inherit(model: ModelVersion, hung: HungModel): void {
    this.#runnerOf(model).state.inherit(hung);
  }

  /** The state of a model in this worker, used before or not. */
  toSnapshot(model: ModelVersion): ModelSnapshot {
    return this.#runnerOf(model).state.toSnapshot(this.#options.engine);
  }

  /** Queued images of all models. */
  queueDepth(): number {
    return [...this.#runners.values()].reduce((sum, { queueDepth }) => sum + queueDepth, 0);
  }

  #runnerOf(model: ModelVersion): ModelRunner {
    const key = toModelKey(model);
    const known = this.#runners.get(key);
    if (known) return known;
    const runner = new ModelRunner(model, this.#options);
    this.#runners.set(key, runner);
    return runner;
  }
}
