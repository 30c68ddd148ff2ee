import type { Config } from '../../config/schema.ts';
import type { EngineName, ToPrimary, WorkerSnapshot } from '../../ipc/messages.ts';
import type { Logger } from '../../log.ts';
import type { RestartReason } from '../../metrics/primary-metrics.ts';
import { DeathStreak } from './death-streak.ts';
import type { EarlyWorker } from './early-worker.ts';
import type { Inheritance } from './inheritance.ts';
import { NativeOutput } from './native-output.ts';
import { OomKills } from './oom-kills.ts';
import { chooseDue, toKeptMs } from './recycling.ts';
import { type RestartLimits, RestartPolicy } from './restart-policy.ts';
import { toServiceEnd } from './service-end.ts';
import { Slot } from './slot.ts';
import { WorkerHandle, type WorkerListener } from './worker-handle.ts';

/** What the rest of the primary learns from the supervisor. */
interface SupervisorListener {
  onMessage(worker: WorkerHandle, message: ToPrimary): void;
  /** A worker is gone; its snapshot is its last. */
  onReap(worker: WorkerHandle): void;
  onRestart(reason: RestartReason): void;
  /** No slot can serve any more. */
  onAllDown(exitCode: number, reason: string): void;
  /** Called regularly. */
  onTick(nowMs: number): void;
}

interface SupervisorOptions {
  readonly workerCount: number;
  readonly engine: EngineName;
  readonly config: Config;
  readonly restartLimits: RestartLimits;
  readonly earlyWorker: EarlyWorker | undefined;
  readonly listener: SupervisorListener;
  readonly log: Logger;
}

/** Keeps a responsive worker in every slot: timeout → reap → respawn. */
export class Supervisor {
  readonly slots: readonly Slot[];
  readonly nativeOutput: NativeOutput;
  readonly deathStreak = new DeathStreak();
  readonly #options: SupervisorOptions;
  readonly #workerListener: WorkerListener;
  readonly #exited: WorkerHandle[] = [];
  #timer: NodeJS.Timeout | undefined;
  #tickedAt = 0;
  #isStopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.nativeOutput = new NativeOutput(options.log);
    const fork = (slot: number, config: Config, inherited: Inheritance): WorkerHandle =>
      this.#fork(slot, config, inherited);
    this.slots = Array.from(
      { length: options.workerCount },
      (_, index) => new Slot(index, options.config, new RestartPolicy(options.restartLimits), fork),
    );
    const oomKills = new OomKills();
    this.#workerListener = {
      claimOomKill: () => oomKills.claim(),
      onMessage: (worker, message) => {
        options.listener.onMessage(worker, message);
      },
      onExit: (worker) => {
        this.#exited.push(worker);
        this.#supervise();
      },
    };
  }

  /** Forks the first workers and starts supervising. */
  start(): void {
    for (const slot of this.slots) slot.boot();
    const tickMs = Math.min(250, this.#options.config.supervisor.heartbeatMs);
    this.#tickedAt = performance.now();
    this.#timer = setInterval(() => {
      this.#discountOwnPause(tickMs);
      // First: by now a rolling restart that waited for a complete replacement has started the one of its next slot.
      void this.#recycleDue();
      this.#supervise();
    }, tickMs);
  }

  /** The living workers of all slots. */
  get workers(): WorkerHandle[] {
    return this.slots.flatMap(({ workers }) => workers);
  }

  /**
   * Replaces the worker of a slot: the candidate has loaded the same models and listens before the old one drains.
   * @returns a promise of undefined once the old one is gone, or of the reason why it stays
   */
  async replace(slot: Slot, config: Config, reason: RestartReason): Promise<string | undefined> {
    // A hung or a recycled worker may be replaced already. Nothing is awaited between the check and the fork: of several that
    // wait, only the first finds the slot free.
    while (slot.isChanging) await slot.waitForReplacement();
    if (this.#isStopping) return 'the service is stopping';
    return slot.replace(config, reason);
  }

  /** Has another worker take over from a hung one, which is killed once it has finished, or at harakiriMs. */
  async replaceHung(worker: WorkerHandle, reason: string): Promise<void> {
    worker.recordHang();
    const { log } = this.#options;
    const slot = this.slots[worker.slot];
    if (slot?.current !== worker) return;
    log.error({ slot: slot.index, workerPid: worker.pid, reason }, 'worker is stuck');
    // A replacement that is under way brings the next worker anyway, unless it fails.
    while (slot.isChanging) await slot.waitForReplacement();
    if (slot.current !== worker) return;
    const failure = await this.replace(slot, slot.config, 'harakiri');
    if (failure !== undefined) log.error({ slot: slot.index, failure }, 'no worker could take over');
  }

  recordListening(worker: WorkerHandle): void {
    worker.recordListening();
    this.slots[worker.slot]?.recordListening(worker);
    this.#options.log.info({ slot: worker.slot, workerPid: worker.pid }, 'worker listening');
  }

  recordSnapshot(worker: WorkerHandle, snapshot: WorkerSnapshot): void {
    worker.recordSnapshot(snapshot);
    if (worker.hasAnswered) this.deathStreak.recordAnswer();
    const slot = this.slots[worker.slot];
    slot?.recordSnapshot(worker, snapshot);
    // A candidate takes over as soon as its first snapshot shows that it can.
    if (slot?.candidate === worker) this.#supervise();
  }

  /** Makes every worker reload changed thresholds. */
  tellPolicies(): void {
    for (const worker of this.workers) worker.send({ type: 'policies' });
  }

  /** Forks no more, and asks every worker to finish and end. */
  drain(): void {
    this.#isStopping = true;
    for (const worker of this.workers) worker.drain('shutdown');
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#isStopping = true;
    for (const worker of this.workers) worker.kill();
  }

  /** Stops supervising; called when no worker is left. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #supervise(): void {
    const nowMs = performance.now();
    this.#killTimedOut(nowMs);
    this.#reapExited(nowMs);
    this.#promoteCandidates();
    this.#respawnDue(nowMs);
    this.#options.listener.onTick(nowMs);
  }

  /** After a pause of the primary itself, missing heartbeats are not the workers' fault. */
  #discountOwnPause(tickMs: number): void {
    const nowMs = performance.now();
    const lateMs = nowMs - this.#tickedAt - tickMs;
    this.#tickedAt = nowMs;
    if (lateMs < tickMs) return;
    for (const worker of this.workers) worker.extendHeartbeat(lateMs);
  }

  #killTimedOut(nowMs: number): void {
    for (const worker of this.workers) {
      if (worker.isKilled) continue;
      const timedOut = worker.toTimedOut(nowMs);
      if (timedOut === undefined) continue;
      this.#options.log.error(
        { slot: worker.slot, workerPid: worker.pid, timeout: timedOut },
        'worker timed out: killed',
      );
      worker.kill(timedOut === 'grace' ? undefined : timedOut);
    }
  }

  #reapExited(nowMs: number): void {
    for (const worker of this.#exited.splice(0)) {
      const slot = this.slots[worker.slot];
      if (slot === undefined) continue;
      const isEmpty = slot.reap(worker);
      if (isEmpty && !this.#isStopping) this.#recordDeath(slot, worker, nowMs);
      this.#options.listener.onReap(worker);
    }
  }

  #recordDeath(slot: Slot, worker: WorkerHandle, nowMs: number): void {
    this.deathStreak.recordDeath(nowMs);
    const { death, backoffMs } = slot.recordDeath(worker, nowMs);
    this.#options.log.error(
      {
        slot: slot.index,
        workerPid: worker.pid,
        cause: worker.cause,
        reason: death.reason,
        detail: death.text,
        backOffMs: backoffMs,
      },
      slot.isDown ? 'slot stays down' : 'worker died',
    );
    const end = toServiceEnd(this.slots);
    if (end !== undefined) this.#options.listener.onAllDown(end.exitCode, end.text);
  }

  #promoteCandidates(): void {
    for (const slot of this.slots) {
      const reason = this.#isStopping ? undefined : slot.promoteCandidate();
      if (reason !== undefined) this.#options.listener.onRestart(reason);
      slot.settle();
    }
  }

  #respawnDue(nowMs: number): void {
    if (this.#isStopping) return;
    for (const slot of this.slots) {
      const reason = slot.respawnDue(nowMs);
      if (reason !== undefined) this.#options.listener.onRestart(reason);
    }
  }

  #fork(slot: number, config: Config, inherited: Inheritance): WorkerHandle {
    const { engine, earlyWorker, log } = this.#options;
    const worker = new WorkerHandle({ slot, engine, config, ...inherited }, this.#workerListener, earlyWorker?.take());
    if (worker.pid !== undefined) log.info({ slot, workerPid: worker.pid }, 'worker forked');
    this.nativeOutput.read(worker);
    return worker;
  }

  /** Replaces a worker that has reached a limit; if the candidate fails, the worker stays for a while. */
  async #recycleDue(): Promise<void> {
    const { log, restartLimits } = this.#options;
    const due = this.#isStopping ? undefined : chooseDue(this.slots, performance.now(), restartLimits.stableMs);
    if (due === undefined) return;
    const { slot, worker, reason } = due;
    log.info({ slot: slot.index, workerPid: worker.pid, reason }, 'worker has reached a limit');
    const failure = await this.replace(slot, slot.config, reason);
    if (failure === undefined || this.#isStopping) return;
    worker.keep(toKeptMs(worker.failedReplacements + 1, restartLimits.stableMs));
    log.error({ slot: slot.index, failure }, 'no worker could take over, the old one stays');
  }
}
