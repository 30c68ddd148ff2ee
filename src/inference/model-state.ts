import { ServiceError, toMessage } from '../errors.ts';
import type { EngineName, HungModel, ModelSnapshot } from '../ipc/messages.ts';
import type { LoadedFacts } from '../ipc/thread-messages.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { hidePaths } from '../public-text.ts';
import { HangError } from './hang-error.ts';

const firstBackoffMs = 1000;
const maxBackoffMs = 60_000;
/** A load that hangs costs its worker, so it is retried less often. */
const maxHungBackoffMs = 600_000;

type State =
  | { readonly kind: 'cold' }
  | { readonly kind: 'loading'; readonly done: Promise<void> }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly retryAt: number };

interface ModelStateOptions {
  readonly loadTimeoutMs: number;
  /** Whether the worker serves only once this model is loaded. */
  readonly isDefault: boolean;
  /** Loads the model; throws {@link HangError} after the time limit. */
  readonly load: () => Promise<LoadedFacts>;
  /** A load failed; the reason may contain paths. */
  readonly onFailed: (reason: string) => void;
}

/** One model in one worker: cold → loading → ready, or failed and retried after a backoff. */
export class ModelState {
  readonly model: ModelVersion;
  readonly #options: ModelStateOptions;
  #state: State = { kind: 'cold' };
  /** Consecutive failed loads, and consecutive hung loads. */
  #failures = 0;
  #hangs = 0;
  /** Why the last load failed; undefined after a success. */
  #reason: string | undefined;
  #facts: LoadedFacts | undefined;

  constructor(model: ModelVersion, options: ModelStateOptions) {
    this.model = model;
    this.#options = options;
  }

  /** Loads on first use; concurrent callers share one load. @throws ERR_MODEL_UNAVAILABLE */
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

  /** Batch size above which a larger one gains nothing; undefined if it was not measured. */
  get usefulBatch(): number | undefined {
    return this.#facts?.usefulBatch;
  }

  /** Resets a loaded model to cold after the loss of its threads. */
  reset(): void {
    if (this.isReady()) this.#state = { kind: 'cold' };
  }

  /** Continues the backoff of the previous worker, where loads of this model hung. */
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

  /** @returns the time of the next attempt, on the clock of `performance.now()` */
  #fail(thrown: unknown): number {
    this.#reason = hidePaths(toMessage(thrown), this.model.dir);
    const isHung = thrown instanceof HangError;
    const backoffMs = this.#toBackoffMs(isHung);
    const retryAt = performance.now() + backoffMs;
    this.#state = { kind: 'failed', retryAt };
    // A worker that doesn't serve yet gets no requests that would retry the load, so a timer does. A hung load costs a
    // worker, so other models than the default ones are retried only on request after one.
    if (!isHung || this.#options.isDefault) {
      setTimeout(() => {
        // Not ensureReady: a timer may fire slightly before `retryAt`.
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
