import type { Deadline } from '../deadline.ts';
import type { HungModel, ModelSnapshot } from '../ipc/messages.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';
import type { Inference, InferenceRequest } from './image-queue.ts';
import type { InferenceOptions } from './inference-options.ts';
import { ModelRunner } from './model-runner.ts';

/** Rasters in, scores out. Each model has threads of its own: one that hangs, or loads for long, holds up no other. */
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
   * Waits until the engine is in this process, brought by the first load of a model, or that load has ended without.
   * @throws ERR_MODEL_UNAVAILABLE, ERR_DEADLINE where nobody waits any longer
   */
  async waitForStart(model: ModelVersion, deadline: Deadline): Promise<void> {
    if (!this.#hasStarted) await this.#runnerOf(model).waitForStart(this.#started, deadline);
  }

  /** Knows from the worker before this one that a model's load hangs; it is tried again after a backoff. */
  inherit(model: ModelVersion, hung: HungModel): void {
    this.#runnerOf(model).state.inherit(hung);
  }

  /** The state of a model in this worker, whether it was ever used or not. */
  toSnapshot(model: ModelVersion): ModelSnapshot {
    return this.#runnerOf(model).state.toSnapshot(this.#options.engine);
  }

  /** Images that wait, for all models together. */
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
