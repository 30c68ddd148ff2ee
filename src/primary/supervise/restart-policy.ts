/** Limits on respawning a slot whose workers die. */
export interface RestartLimits {
  /** Backoff after the first death; doubles with each further one, up to `maxMs`. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Time of serving after which a worker counts as stable: the deaths before it are forgotten. */
  readonly stableMs: number;
  /** Deaths in a row without a stable worker after which the slot stays down. */
  readonly maxDeaths: number;
}

/** About 20 s of trying before a slot stays down. */
export const restartLimits: RestartLimits = { baseMs: 100, maxMs: 5000, stableMs: 5000, maxDeaths: 10 };

/** Decides when a slot is respawned: exponential backoff with jitter, given up in a crash loop. */
export class RestartPolicy {
  readonly #limits: RestartLimits;
  readonly #random: () => number;
  #deaths = 0;

  /** @param random in [0, 1). */
  constructor(limits: RestartLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  get deaths(): number {
    return this.#deaths;
  }

  /**
   * Counts a death.
   * @param servedMs time from listening to the end; 0 for a worker that never listened.
   * @returns the backoff in milliseconds, or undefined when the slot stays down.
   */
  recordDeath(servedMs: number): number | undefined {
    if (servedMs >= this.#limits.stableMs) this.#deaths = 0;
    this.#deaths += 1;
    if (this.#deaths >= this.#limits.maxDeaths) return undefined;
    const full = Math.min(this.#limits.maxMs, this.#limits.baseMs * 2 ** (this.#deaths - 1));
    // Between half and all of it, so that workers that died together do not respawn together.
    return full * (0.5 + this.#random() / 2);
  }

  /** Forgets the deaths, after a change that gives the slot another chance. */
  reset(): void {
    this.#deaths = 0;
  }
}
