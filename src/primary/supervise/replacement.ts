import type { RestartReason } from '../../metrics/primary-metrics.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** A planned change of a slot's worker: the candidate listens before the current worker drains. */
export class Replacement {
  readonly candidate: WorkerHandle;
  readonly reason: RestartReason;
  /** Resolves once the change is complete, with undefined or why it failed. */
  readonly settled: Promise<string | undefined>;
  #resolve: (failure: string | undefined) => void = () => undefined;
  #isPromoted = false;
  #failure: string | undefined;

  constructor(candidate: WorkerHandle, reason: RestartReason) {
    this.candidate = candidate;
    this.reason = reason;
    this.settled = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Whether the candidate has taken over; the former worker may still drain. */
  get isPromoted(): boolean {
    return this.#isPromoted;
  }

  /** Whether the candidate is neither promoted nor refused. */
  get isPending(): boolean {
    return !this.#isPromoted && !this.candidate.isKilled;
  }

  promote(): void {
    this.#isPromoted = true;
  }

  /** Kills a candidate that is not fit to take over. */
  refuse(failure: string): void {
    this.#failure = failure;
    this.candidate.kill();
  }

  /** Reports the end to those who wait for it. */
  settle(): void {
    this.#resolve(this.#isPromoted ? undefined : (this.#failure ?? toFailure(this.candidate)));
  }
}

function toFailure({ unable, killReason, ending }: WorkerHandle): string {
  return unable?.reason ?? (killReason === undefined ? ending : 'boot timeout');
}
