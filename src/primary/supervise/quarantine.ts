import type { QuarantineState } from '../../ipc/messages.ts';

/** Suspects to remember; beyond this the oldest is forgotten. */
const maxSuspects = 1000;

/** Strikes after which an image is refused. */
const refusedAfter = 2;

interface Suspect {
  strikes: number;
  forgetAt: number;
}

/** Counts strikes against images that hung or crashed a worker, across all workers. */
export class Quarantine {
  readonly #forMs: () => number;
  readonly #onChange: (state: QuarantineState) => void;
  /** Ordered by the last strike, oldest first. */
  readonly #suspects = new Map<string, Suspect>();

  /** @param forMs how long a suspect is remembered */
  constructor(forMs: () => number, onChange: (state: QuarantineState) => void) {
    this.#forMs = forMs;
    this.#onChange = onChange;
  }

  /** Counts one strike against each suspect. */
  recordStrike(suspects: readonly string[], nowMs: number): void {
    if (suspects.length === 0) return;
    for (const name of new Set(suspects)) {
      const strikes = (this.#suspects.get(name)?.strikes ?? 0) + 1;
      this.#suspects.delete(name);
      this.#suspects.set(name, { strikes, forgetAt: nowMs + this.#forMs() });
    }
    for (const name of [...this.#suspects.keys()].slice(0, -maxSuspects)) this.#suspects.delete(name);
    this.#onChange(this.toState());
  }

  /** Forgets a suspect that a worker processed without harm. */
  clear(suspect: string): void {
    if (this.#suspects.delete(suspect)) this.#onChange(this.toState());
  }

  /** Forgets suspects whose retention has expired. */
  expire(nowMs: number): void {
    const expired = [...this.#suspects].filter(([, { forgetAt }]) => forgetAt <= nowMs);
    for (const [name] of expired) this.#suspects.delete(name);
    if (expired.length > 0) this.#onChange(this.toState());
  }

  /** The state to send to every worker. */
  toState(): QuarantineState {
    const names = (isRefused: boolean): string[] =>
      [...this.#suspects].filter(([, { strikes }]) => strikes >= refusedAfter === isRefused).map(([name]) => name);
    return { suspected: names(false), quarantined: names(true) };
  }
}
