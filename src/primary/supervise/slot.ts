import type { Config } from '../../config/schema.ts';
import type { WorkerSnapshot } from '../../ipc/messages.ts';
import type { RestartReason } from '../../metrics/primary-metrics.ts';
import { judgeCandidate } from './candidate.ts';
import { type Death, toDeath } from './death.ts';
import { type Inheritance, listHungModels, listVersions, listWarmModels } from './inheritance.ts';
import { Replacement } from './replacement.ts';
import type { RestartPolicy } from './restart-policy.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Forks a worker for one slot. */
export type Fork = (slot: number, config: Config, inherited: Inheritance) => WorkerHandle;

/** A place for a worker: its index is stable over respawns. */
export class Slot {
  readonly index: number;
  readonly #policy: RestartPolicy;
  readonly #fork: Fork;
  #config: Config;
  /**
   * Versions that serve by their bare names. Only a rolling restart brings new ones: a worker that replaces a dead one
   * must not bring a version that no rolling restart has tried.
   */
  #versions: Readonly<Record<string, string>> = {};
  #current: WorkerHandle | undefined;
  #replacement: Replacement | undefined;
  readonly #outgoing = new Set<WorkerHandle>();
  /** When to fork again; undefined while there is nothing to fork. */
  #respawnAt: number | undefined;
  #isDown = false;
  #restarts = 0;
  #death: Death | undefined;

  constructor(index: number, config: Config, policy: RestartPolicy, fork: Fork) {
    this.index = index;
    this.#config = config;
    this.#policy = policy;
    this.#fork = fork;
  }

  /** What the next worker starts with. */
  get config(): Config {
    return this.#config;
  }

  /** The worker of the slot; undefined between a death and the respawn. */
  get current(): WorkerHandle | undefined {
    return this.#current;
  }

  /** The worker that is about to take over. */
  get candidate(): WorkerHandle | undefined {
    return this.#replacement?.isPromoted === false ? this.#replacement.candidate : undefined;
  }

  /** Former workers that drain. */
  get outgoing(): ReadonlySet<WorkerHandle> {
    return this.#outgoing;
  }

  /** Whether a replacement is under way. */
  get isChanging(): boolean {
    return this.#replacement !== undefined;
  }

  /** Whether the slot was given up after a crash loop. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** Workers forked after the first one. */
  get restarts(): number {
    return this.#restarts;
  }

  /** How the last worker ended; undefined again once the next one listens. */
  get death(): Death | undefined {
    return this.#death;
  }

  /** Deaths in a row without a stable worker between them. */
  get deaths(): number {
    return this.#policy.deaths;
  }

  /** The living workers: current, candidate, outgoing. */
  get workers(): WorkerHandle[] {
    const workers = [this.#current, this.candidate, ...this.#outgoing];
    return workers.filter((worker) => worker !== undefined);
  }

  /** Forks the worker of the slot. */
  boot(): void {
    this.#respawnAt = undefined;
    this.#current = this.#fork(this.index, this.#config, { warm: [], hung: [], versions: this.#versions });
  }

  /** Forks the worker again once the backoff is over. @returns the reason when it has forked */
  respawnDue(nowMs: number): RestartReason | undefined {
    if (this.#respawnAt === undefined || this.#respawnAt > nowMs || this.candidate !== undefined) return undefined;
    this.boot();
    this.#restarts += 1;
    return this.#death?.reason ?? 'crash';
  }

  /**
   * Forks a candidate that inherits the models of the current worker.
   * @returns a promise of undefined once the former worker is gone, or of the reason why it stays
   */
  replace(config: Config, reason: RestartReason): Promise<string | undefined> {
    if (this.#isDown) this.#policy.reset();
    this.#isDown = false;
    this.#respawnAt = undefined;
    const candidate = this.#fork(this.index, config, {
      warm: listWarmModels(this.#current, config, reason),
      hung: listHungModels(this.#current),
      versions: reason === 'reload' ? {} : this.#versions,
    });
    this.#replacement = new Replacement(candidate, reason);
    return this.#replacement.settled;
  }

  /** Resolves when the replacement under way is complete; by then another caller may have started the next one. */
  async waitForReplacement(): Promise<void> {
    await this.#replacement?.settled;
  }

  /** Lets a candidate that is fit take over, and refuses one that is not. @returns the reason when it has taken over */
  promoteCandidate(): RestartReason | undefined {
    const replacement = this.#replacement;
    if (replacement?.isPending !== true) return undefined;
    const { candidate, reason } = replacement;
    const judgement = judgeCandidate(candidate, this.#current);
    if (judgement === 'wait') return undefined;
    if (judgement !== 'fit') {
      replacement.refuse(judgement.failure);
      return undefined;
    }
    replacement.promote();
    const former = this.#current;
    this.#current = candidate;
    this.#config = candidate.start.config;
    this.#respawnAt = undefined;
    this.#death = undefined;
    this.#restarts += 1;
    if (former !== undefined) {
      this.#outgoing.add(former);
      former.drain('replaced');
    }
    return reason;
  }

  /** Completes a replacement whose former worker is gone, or whose candidate died before it could take over. */
  settle(): void {
    const replacement = this.#replacement;
    if (replacement === undefined) return;
    if (replacement.isPromoted ? this.#outgoing.size > 0 : replacement.candidate.stage !== 'exited') return;
    this.#replacement = undefined;
    replacement.settle();
  }

  /** Removes a worker that has exited. @returns whether this leaves the slot empty */
  reap(worker: WorkerHandle): boolean {
    const wasOutgoing = this.#outgoing.delete(worker);
    this.settle();
    if (this.#current === worker) this.#current = undefined;
    return this.#current === undefined && !wasOutgoing;
  }

  /** Schedules the respawn after a death. @returns the backoff; undefined when the slot is given up */
  recordDeath(worker: WorkerHandle, nowMs: number): { death: Death; backoffMs: number | undefined } {
    const backoffMs = this.#policy.recordDeath(worker.listeningAt === undefined ? 0 : nowMs - worker.listeningAt);
    this.#death = toDeath(worker);
    this.#isDown = backoffMs === undefined;
    this.#respawnAt = backoffMs === undefined ? undefined : nowMs + backoffMs;
    return { death: this.#death, backoffMs };
  }

  recordListening(worker: WorkerHandle): void {
    if (this.#current === worker) this.#death = undefined;
  }

  recordSnapshot(worker: WorkerHandle, snapshot: WorkerSnapshot): void {
    if (this.#current === worker) this.#versions = listVersions(snapshot);
  }
}
