import { ServiceError, toMessage } from '../errors.ts';
import type { EngineName, ModelSnapshot } from '../ipc/messages.ts';
import type { LoadedFacts } from '../ipc/thread-messages.ts';
import type { ModelVersion } from '../model/model-version.ts';

const firstBackoffMs = 1000;
const maxBackoffMs = 60_000;

type State =
  | { readonly kind: 'cold' }
  | { readonly kind: 'loading'; readonly done: Promise<void> }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAt: number };

/** One model inside one worker: cold → loading → ready, or failed and tried again after a back-off. */
export class ModelState {
  readonly model: ModelVersion;
  readonly #load: () => Promise<LoadedFacts>;
  #state: State = { kind: 'cold' };
  #failures = 0;
  #facts: LoadedFacts | undefined;

  /** @param load brings the model into memory */
  constructor(model: ModelVersion, load: () => Promise<LoadedFacts>) {
    this.model = model;
    this.#load = load;
  }

  /** Loads on first use; every caller waits for the same load. @throws ERR_MODEL_UNAVAILABLE */
  ensureReady(): Promise<void> {
    const state = this.#state;
    if (state.kind === 'ready') return Promise.resolve();
    if (state.kind === 'loading') return state.done;
    if (state.kind === 'failed' && performance.now() < state.retryAt) {
      return Promise.reject(toUnavailable(this.model, state.reason, state.retryAt));
    }
    const done = this.#attempt();
    this.#state = { kind: 'loading', done };
    return done;
  }

  isReady(): boolean {
    return this.#state.kind === 'ready';
  }

  /** Images above which a larger batch gains nothing; undefined where nobody measured it. */
  get usefulBatch(): number | undefined {
    return this.#facts?.usefulBatch;
  }

  /** Forgets a loaded model whose thread is gone. */
  reset(): void {
    if (this.isReady()) this.#state = { kind: 'cold' };
  }

  toSnapshot(engine: EngineName): ModelSnapshot {
    return {
      version: this.model.version,
      engine,
      state: this.#state.kind,
      ...(this.#facts && { loadMs: Math.round(this.#facts.loadMs), form: this.#facts.form }),
      ...(this.#facts && this.#facts.remarks.length > 0 && { remarks: [...this.#facts.remarks] }),
      ...(this.#state.kind === 'failed' && { reason: this.#state.reason }),
    };
  }

  async #attempt(): Promise<void> {
    try {
      this.#facts = await this.#load();
      this.#failures = 0;
      this.#state = { kind: 'ready' };
    } catch (thrown) {
      const reason = toMessage(thrown);
      const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.#failures);
      const retryAt = performance.now() + backoffMs;
      this.#failures += 1;
      this.#state = { kind: 'failed', reason, retryAt };
      // A worker that doesn't serve gets no request that would try again, so it tries by itself.
      setTimeout(() => {
        this.ensureReady().catch(() => undefined);
      }, backoffMs).unref();
      throw toUnavailable(this.model, reason, retryAt);
    }
  }
}

function toUnavailable(model: ModelVersion, reason: string, retryAt: number): ServiceError {
  const retryAfterSeconds = Math.max(1, Math.ceil((retryAt - performance.now()) / 1000));
  return new ServiceError('ERR_MODEL_UNAVAILABLE', `model ${model.name} failed to load: ${reason}`, {
    retryAfterSeconds,
  });
}
