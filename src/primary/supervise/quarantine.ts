import type { Suspicions } from '../../ipc/messages.ts';

/** Suspects that are remembered; beyond it the oldest is forgotten. */
const maxSuspects = 1000;

/** Accidents after which an image is refused. */
const refusedAfter = 2;

interface Suspect {
  accidents: number;
  forgetAt: number;
}

/** What all workers together know of images that hung or crashed one of them. */
export class Quarantine {
  readonly #forMs: () => number;
  readonly #onChange: (suspicions: Suspicions) => void;
  /** The one whose last accident is the oldest first. */
  readonly #suspects = new Map<string, Suspect>();

  /** @param forMs how long a suspect is remembered */
  constructor(forMs: () => number, onChange: (suspicions: Suspicions) => void) {
    this.#forMs = forMs;
    this.#onChange = onChange;
  }

  /** Counts an accident of everything that was being worked on. */
  blame(suspects: readonly string[], nowMs: number): void {
    if (suspects.length === 0) return;
    for (const name of new Set(suspects)) {
      const accidents = (this.#suspects.get(name)?.accidents ?? 0) + 1;
      this.#suspects.delete(name);
      this.#suspects.set(name, { accidents, forgetAt: nowMs + this.#forMs() });
    }
    for (const name of [...this.#suspects.keys()].slice(0, -maxSuspects)) this.#suspects.delete(name);
    this.#onChange(this.toSuspicions());
  }

  /** Forgets one that went through. */
  clear(suspect: string): void {
    if (this.#suspects.delete(suspect)) this.#onChange(this.toSuspicions());
  }

  /** Forgets those whose time is over. */
  expire(nowMs: number): void {
    const expired = [...this.#suspects].filter(([, { forgetAt }]) => forgetAt <= nowMs);
    for (const [name] of expired) this.#suspects.delete(name);
    if (expired.length > 0) this.#onChange(this.toSuspicions());
  }

  /** What every worker must know. */
  toSuspicions(): Suspicions {
    const names = (isRefused: boolean): string[] =>
      [...this.#suspects].filter(([, { accidents }]) => accidents >= refusedAfter === isRefused).map(([name]) => name);
    return { suspected: names(false), quarantined: names(true) };
  }
}
