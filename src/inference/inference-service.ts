import type { HungModel, ModelSnapshot } from '../ipc/messages.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';
import type { Inference, InferenceRequest } from './image-queue.ts';
import type { InferenceOptions } from './inference-options.ts';
import { ModelRunner } from './model-runner.ts';

/** Rasters in, scores out. Each model has threads of its own: one that hangs, or loads for long, holds up no other. */
export class InferenceService {
  readonly #options: InferenceOptions;
  readonly #runners = new Map<string, ModelRunner>();

  constructor(options: InferenceOptions) {
    this.#options = options;
  }

  /** @throws ERR_MODEL_UNAVAILABLE, ERR_WORKER_STUCK, ERR_DEADLINE */
  infer(model: ModelVersion, raster: Uint8Array, request: InferenceRequest): Promise<Inference> {
    return this.#runnerOf(model).infer(raster, request);
  }

  /** Loads a model now. @throws ERR_MODEL_UNAVAILABLE */
  load(model: ModelVersion): Promise<void> {
    return this.#runnerOf(model).state.ensureReady();
  }

  /** Knows from the worker before this one that a model's load hangs; it is tried again after a back-off. */
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
