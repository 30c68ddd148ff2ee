import type { Config } from '../../config/schema.ts';
import type { EngineName, ToPrimary } from '../../ipc/messages.ts';
import type { Logger } from '../../log.ts';
import type { RestartReason } from '../../metrics/primary-metrics.ts';
import { DeathStreak } from './death-streak.ts';
import type { EarlyWorker } from './early-worker.ts';
import { NativeOutput } from './native-output.ts';
import { OomKills } from './oom-kills.ts';
import { chooseDue, toKeptMs } from './recycling.ts';
import { listHungModels, listVersions, listWarmModels, promoteCandidate, settleReplacement } from './replacement.ts';
import { type RestartLimits, RestartPolicy } from './restart-policy.ts';
import { createSlot, listWorkers, type Slot, toDeath, toEnd, waitForEnd } from './slot.ts';
import { WorkerHandle, type WorkerListener } from './worker-handle.ts';

/** What the supervisor tells the rest of the primary. */
interface SupervisorListener {
  onMessage(worker: WorkerHandle, message: ToPrimary): void;
  /** A worker is gone; its snapshot is its last. */
  onReap(worker: WorkerHandle): void;
  onRestart(reason: RestartReason): void;
  /** Nothing is left to try. */
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

/** Keeps every slot filled with a worker that answers: timeout → reap → respawn. */
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
    this.slots = Array.from({ length: options.workerCount }, (_, index) =>
      createSlot(index, options.config, new RestartPolicy(options.restartLimits)),
    );
    const oomKills = new OomKills();
    this.#workerListener = {
      claimOomKill: () => oomKills.claim(),
      onMessage: (worker, message) => {
        this.#hear(worker, message);
      },
      onExit: (worker) => {
        this.#exited.push(worker);
        this.#supervise();
      },
    };
  }

  /** Forks the first workers and begins to watch. */
  start(): void {
    for (const slot of this.slots) slot.current = this.#fork(slot, slot.config);
    const tickMs = Math.min(250, this.#options.config.supervisor.heartbeatMs);
    this.#tickedAt = performance.now();
    this.#timer = setInterval(() => {
      this.#discountOwnPause(tickMs);
      // First, as whatever waited for a change that is complete has gone on by now: a rolling restart is at its next slot.
      void this.#recycleDue();
      this.#supervise();
    }, tickMs);
  }

  /**
   * Changes the worker of a slot: the next one has loaded the same models and listens before the old one drains.
   * @returns a promise of undefined once the old one is gone, or of the reason why the old one stays.
   */
  async replace(slot: Slot, config: Config, reason: RestartReason): Promise<string | undefined> {
    // A stuck or a recycled worker may be changed already. Whoever waits asks anew: another one may have waited too.
    while (slot.replacement !== undefined) await waitForEnd(slot.replacement);
    if (this.#isStopping) return 'the service is stopping';
    if (slot.isDown) slot.policy.reset();
    slot.isDown = false;
    slot.respawnAt = undefined;
    return new Promise((resolve) => {
      const worker = this.#fork(slot, config, {
        warm: listWarmModels(slot.current, config, reason),
        hung: listHungModels(slot.current),
        versions: reason === 'reload' ? {} : slot.versions,
      });
      slot.replacement = { worker, reason, isPromoted: false, failure: undefined, onSettled: [resolve] };
    });
  }

  /** Tells every worker that thresholds have changed. */
  tellPolicies(): void {
    for (const worker of listWorkers(this.slots)) worker.send({ type: 'policies' });
  }

  /** Forks no more, and asks every worker to finish and end. */
  drain(): void {
    this.#isStopping = true;
    for (const worker of listWorkers(this.slots)) worker.drain('shutdown');
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#isStopping = true;
    for (const worker of listWorkers(this.slots)) worker.kill();
  }

  /** Stops watching; called when no worker is left. */
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

  /** When the primary itself was stopped for a while, the silence was not the workers'. */
  #discountOwnPause(tickMs: number): void {
    const nowMs = performance.now();
    const lateMs = nowMs - this.#tickedAt - tickMs;
    this.#tickedAt = nowMs;
    if (lateMs < tickMs) return;
    for (const worker of listWorkers(this.slots)) worker.heardAt += lateMs;
  }

  #killTimedOut(nowMs: number): void {
    for (const worker of listWorkers(this.slots)) {
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
      const wasDraining = slot.draining.delete(worker);
      settleReplacement(slot);
      if (slot.current === worker) slot.current = undefined;
      if (slot.current === undefined && !wasDraining && !this.#isStopping) this.#noteDeath(slot, worker, nowMs);
      this.#options.listener.onReap(worker);
    }
  }

  #noteDeath(slot: Slot, worker: WorkerHandle, nowMs: number): void {
    const backoffMs = slot.policy.recordDeath(worker.listeningAt === undefined ? 0 : nowMs - worker.listeningAt);
    this.deathStreak.noteDeath(nowMs);
    slot.death = toDeath(worker);
    slot.isDown = backoffMs === undefined;
    slot.respawnAt = backoffMs === undefined ? undefined : nowMs + backoffMs;
    this.#options.log.error(
      {
        slot: slot.index,
        workerPid: worker.pid,
        cause: worker.cause,
        reason: slot.death.reason,
        detail: slot.death.text,
        backOffMs: backoffMs,
      },
      slot.isDown ? 'slot stays down' : 'worker died',
    );
    const end = toEnd(this.slots);
    if (end !== undefined) this.#options.listener.onAllDown(end.exitCode, end.text);
  }

  #promoteCandidates(): void {
    for (const slot of this.slots) {
      const reason = this.#isStopping ? undefined : promoteCandidate(slot);
      if (reason !== undefined) this.#countRestart(slot, reason);
      settleReplacement(slot);
    }
  }

  #respawnDue(nowMs: number): void {
    if (this.#isStopping) return;
    for (const slot of this.slots) {
      if (slot.respawnAt === undefined || slot.respawnAt > nowMs || slot.replacement?.isPromoted === false) continue;
      slot.respawnAt = undefined;
      slot.current = this.#fork(slot, slot.config);
      this.#countRestart(slot, slot.death?.reason ?? 'crash');
    }
  }

  #fork(
    slot: Slot,
    config: Config,
    models: Pick<WorkerHandle['start'], 'warm' | 'hung' | 'versions'> = { warm: [], hung: [], versions: slot.versions },
  ): WorkerHandle {
    const { engine, earlyWorker, log } = this.#options;
    const start = { slot: slot.index, engine, config, ...models };
    const worker = new WorkerHandle(start, this.#workerListener, earlyWorker?.take());
    if (worker.pid !== undefined) log.info({ slot: slot.index, workerPid: worker.pid }, 'worker forked');
    this.nativeOutput.read(worker);
    return worker;
  }

  /** Another worker takes over from a stuck one, which is killed once it has finished, or at harakiriMs. */
  async #replaceHung(slot: Slot, worker: WorkerHandle, reason: string): Promise<void> {
    const { log } = this.#options;
    log.error({ slot: slot.index, workerPid: worker.pid, reason }, 'worker is stuck');
    // A change that is under way at this slot brings the next worker anyway, unless it fails.
    while (slot.replacement !== undefined) await waitForEnd(slot.replacement);
    if (slot.current !== worker) return;
    const failure = await this.replace(slot, slot.config, 'harakiri');
    if (failure !== undefined) log.error({ slot: slot.index, failure }, 'no worker could take over');
  }

  /** Lets another worker take over from one that has reached a limit; where none can, it stays for a while. */
  async #recycleDue(): Promise<void> {
    const { log, restartLimits } = this.#options;
    const due = this.#isStopping ? undefined : chooseDue(this.slots, performance.now(), restartLimits.stableMs);
    if (due === undefined) return;
    const { slot, worker, reason } = due;
    log.info({ slot: slot.index, workerPid: worker.pid, reason }, 'worker has reached a limit');
    const failure = await this.replace(slot, slot.config, reason);
    if (failure === undefined || this.#isStopping) return;
    worker.failedReplacements += 1;
    worker.keptUntilMs = performance.now() + toKeptMs(worker.failedReplacements, restartLimits.stableMs);
    log.error({ slot: slot.index, failure }, 'no worker could take over, the old one stays');
  }

  #countRestart(slot: Slot, reason: RestartReason): void {
    slot.restarts += 1;
    this.#options.listener.onRestart(reason);
  }

  #hear(worker: WorkerHandle, message: ToPrimary): void {
    const slot = this.slots[worker.slot];
    if (message.type === 'listening') {
      if (slot?.current === worker) slot.death = undefined;
      this.#options.log.info({ slot: worker.slot, workerPid: worker.pid }, 'worker listening');
    }
    if (message.type === 'snapshot' && worker.hasAnswered) this.deathStreak.noteAnswer();
    if (message.type === 'snapshot' && slot?.current === worker) slot.versions = listVersions(message.snapshot);
    if (message.type === 'stuck' && slot?.current === worker) void this.#replaceHung(slot, worker, message.reason);
    this.#options.listener.onMessage(worker, message);
    // A candidate takes over as soon as its first snapshot says that it can.
    if (slot?.replacement?.worker === worker && message.type === 'snapshot') this.#supervise();
  }
}
