import { ServiceError, toMessage } from '../errors.ts';
import type { EngineName, HungModel, ModelSnapshot } from '../ipc/messages.ts';
import type { LoadedFacts } from '../ipc/thread-messages.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { hidePaths } from '../public-text.ts';
import { HangError } from './hang-error.ts';

const firstBackoffMs = 1000;
const maxBackoffMs = 60_000;
/** A load that hangs costs its worker, so it is tried less often. */
const maxHungBackoffMs = 600_000;

type State =
  | { readonly kind: 'cold' }
  | { readonly kind: 'loading'; readonly done: Promise<void> }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly retryAt: number };

interface ModelStateOptions {
  readonly loadTimeoutMs: number;
  /** Whether the worker doesn't serve without the model. */
  readonly isDefault: boolean;
  /** Brings the model into memory; throws {@link HangError} when it did not come back. */
  readonly load: () => Promise<LoadedFacts>;
  /** A load failed, for this reason; it may name paths. */
  readonly onFailed: (reason: string) => void;
}

/** One model inside one worker: cold → loading → ready, or failed and tried again after a backoff. */
export class ModelState {
  readonly model: ModelVersion;
  readonly #options: ModelStateOptions;
  #state: State = { kind: 'cold' };
  /** Loads in a row that failed, and those among them that hung. */
  #failures = 0;
  #hangs = 0;
  /** Why the last load failed; undefined once one succeeded. */
  #reason: string | undefined;
  #facts: LoadedFacts | undefined;

  constructor(model: ModelVersion, options: ModelStateOptions) {
    this.model = model;
    this.#options = options;
  }

  /** Loads on first use; every caller waits for the same load. @throws ERR_MODEL_UNAVAILABLE */
  ensureReady(): Promise<void> {
    const state = this.#state;
    if (state.kind === 'ready') return Promise.resolve();
    if (state.kind === 'loading') return state.done;
    if (state.kind === 'failed' && performance.now() < state.retryAt) {
      return Promise.reject(this.#toUnavailable(state.retryAt));
    }
    return this.#start();
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

  /** Goes on from what the worker before this one went through: its loads hung. */
  inherit({ reason, hangs }: HungModel): void {
    this.#failures = hangs - 1;
    this.#hangs = hangs - 1;
    this.#fail(new HangError(reason));
  }

  toSnapshot(engine: EngineName): ModelSnapshot {
    const toPublic = (remark: string): string => hidePaths(remark, this.model.dir);
    return {
      version: this.model.version,
      engine,
      state: this.#state.kind,
      ...(this.#facts && { loadMs: Math.round(this.#facts.loadMs), form: this.#facts.form }),
      ...(this.#facts && this.#facts.remarks.length > 0 && { remarks: this.#facts.remarks.map(toPublic) }),
      ...(this.#reason !== undefined && { reason: this.#reason }),
      ...(this.#hangs > 0 && { hangs: this.#hangs }),
    };
  }

  #start(): Promise<void> {
    const done = this.#attempt();
    this.#state = { kind: 'loading', done };
    return done;
  }

  async #attempt(): Promise<void> {
    try {
      this.#facts = await this.#options.load();
      this.#failures = 0;
      this.#hangs = 0;
      this.#reason = undefined;
      this.#state = { kind: 'ready' };
    } catch (thrown) {
      this.#options.onFailed(toMessage(thrown));
      throw this.#toUnavailable(this.#fail(thrown));
    }
  }

  /** @returns when it is tried again, on the clock of `performance.now()` */
  #fail(thrown: unknown): number {
    this.#reason = hidePaths(toMessage(thrown), this.model.dir);
    const isHung = thrown instanceof HangError;
    const backoffMs = this.#toBackoffMs(isHung);
    const retryAt = performance.now() + backoffMs;
    this.#state = { kind: 'failed', retryAt };
    // A worker that doesn't serve gets no request that would try again, so it tries by itself; but a load that hangs
    // costs a worker, which a model that nobody asks for is not worth.
    if (!isHung || this.#options.isDefault) {
      setTimeout(() => {
        // A timer may fire a moment early: this is the try that the backoff was for.
        if (this.#state.kind === 'failed') this.#start().catch(() => undefined);
      }, backoffMs).unref();
    }
    return retryAt;
  }

  #toBackoffMs(isHung: boolean): number {
    const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.#failures);
    const hungMs = Math.min(maxHungBackoffMs, this.#options.loadTimeoutMs * 2 ** this.#hangs);
    this.#failures += 1;
    this.#hangs = isHung ? this.#hangs + 1 : 0;
    return isHung ? Math.max(backoffMs, hungMs) : backoffMs;
  }

  #toUnavailable(retryAt: number): ServiceError {
    const retryAfterSeconds = Math.max(1, Math.ceil((retryAt - performance.now()) / 1000));
    const detail = `model ${this.model.name} failed to load: ${this.#reason ?? 'unknown'}`;
    return new ServiceError('ERR_MODEL_UNAVAILABLE', detail, { retryAfterSeconds });
  }
}
