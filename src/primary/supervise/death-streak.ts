/** Deaths in a row, with no answer in between, after which a load balancer is told to send nothing. */
const maxDeaths = 3;
/** Time without a death after which requests are let in again: without traffic no answer could end the streak. */
const retryMs = 30_000;

/** Counts the deaths of workers since the last answer that any of them gave. */
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

  /** Whether requests only seem to kill workers; after a pause a single death is enough. */
  isFailing(nowMs: number): boolean {
    return this.#deaths >= maxDeaths && nowMs - this.#diedAt < retryMs;
  }
}
