/** Deaths in a row without an answer between them after which the service is unready. */
const maxDeaths = 3;
/** Time without a death after which the service is ready again: without traffic no answer could end the streak. */
const retryMs = 30_000;

/** Counts the deaths of workers since the last answer of any worker. */
export class DeathStreak {
  #deaths = 0;
  #diedAt = 0;

  recordDeath(nowMs: number): void {
    this.#deaths += 1;
    this.#diedAt = nowMs;
  }

  recordAnswer(): void {
    this.#deaths = 0;
  }

  /** Whether requests seem only to kill workers; after a pause a single death is enough. */
  isFailing(nowMs: number): boolean {
    return this.#deaths >= maxDeaths && nowMs - this.#diedAt < retryMs;
  }
}
