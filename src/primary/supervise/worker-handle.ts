import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Config } from '../../config/schema.ts';
import type { DrainReason, EngineName, HungModel, ToPrimary, ToWorker, WorkerSnapshot } from '../../ipc/messages.ts';
import type { RestartReason } from '../../metrics/primary-metrics.ts';
import { findNativeLibrary } from '../../native-library.ts';
import { type DeathCause, isStopped, toDeathCause } from './death-cause.ts';
import type { TakenProcess } from './early-worker.ts';
import { type ProcessEnd, WorkerChannel } from './worker-channel.ts';

/** A worker process as the primary sees it. */
export type Stage = 'forked' | 'listening' | 'draining' | 'exited';

/** What a new worker is started with. */
export interface WorkerStart {
  readonly slot: number;
  readonly engine: EngineName;
  readonly config: Config;
  /** Models to load before listening. */
  readonly warm: readonly string[];
  /** Models whose loads hung in the worker before. */
  readonly hung: readonly HungModel[];
  /** Versions that serve by a bare name; of other names the highest. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Why a worker can't start, and with which exit code. */
interface Inability {
  readonly reason: string;
  readonly exitCode: number;
}

/** What a worker's supervisor hears. */
export interface WorkerListener {
  onMessage(worker: WorkerHandle, message: ToPrimary): void;
  onExit(worker: WorkerHandle): void;
  /** @see OomKills.claim */
  readonly claimOomKill: () => boolean;
}

/** One worker: its stage, its last snapshot, its deadlines. */
export class WorkerHandle {
  readonly start: WorkerStart;
  readonly forkedAt = performance.now();
  /** 0…1, drawn once: how much chance adds to its limits. */
  readonly jitter = Math.random();
  readonly #listener: WorkerListener;
  readonly #channel: WorkerChannel;
  #stage: Stage = 'forked';
  #listeningAt: number | undefined;
  #drainingAt: number | undefined;
  #heardAt = this.forkedAt;
  #hungAt: number | undefined;
  #snapshot: WorkerSnapshot | undefined;
  #hasAnswered = false;
  #hasReported = false;
  #unable: Inability | undefined;
  #isKilled = false;
  #killReason: RestartReason | undefined;
  #wasStopped = false;
  #failedReplacements = 0;
  #keptUntil = 0;
  #ending = '';
  #cause: DeathCause | undefined;
  #suspects: readonly string[] = [];

  /** Forks a worker, unless its process is given; when the system refuses to, the handle exits at once. */
  constructor(start: WorkerStart, listener: WorkerListener, taken?: TakenProcess) {
    this.start = start;
    this.#listener = listener;
    const onMessage = (message: ToPrimary): void => {
      this.#heardAt = performance.now();
      listener.onMessage(this, message);
    };
    const onEnd = (end: ProcessEnd): void => {
      this.#recordEnd(end);
    };
    this.#channel = new WorkerChannel({ onMessage, onEnd }, taken);
  }

  get slot(): number {
    return this.start.slot;
  }

  get pid(): number | undefined {
    return this.#channel.pid;
  }

  get stage(): Stage {
    return this.#stage;
  }

  get listeningAt(): number | undefined {
    return this.#listeningAt;
  }

  /** When its last message came. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** When it reported that native work hangs. */
  get hungAt(): number | undefined {
    return this.#hungAt;
  }

  /** The last snapshot. */
  get snapshot(): WorkerSnapshot | undefined {
    return this.#snapshot;
  }

  /** Whether the last snapshot counts more answers than the one before. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Whether a snapshot has come since the worker listens. */
  get hasReported(): boolean {
    return this.#hasReported;
  }

  /** What the worker sent before it gave up. */
  get unable(): Inability | undefined {
    return this.#unable;
  }

  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Why the primary killed it. */
  get killReason(): RestartReason | undefined {
    return this.#killReason;
  }

  /** Candidates that failed to replace it when it had reached a limit. */
  get failedReplacements(): number {
    return this.#failedReplacements;
  }

  /** Until when no other candidate is tried. */
  get keptUntil(): number {
    return this.#keptUntil;
  }

  /** How it ended: the signal, the exit code or the error of the fork. */
  get ending(): string {
    return this.#ending;
  }

  /** Why it died; undefined while it lives, and for one that could not be forked. */
  get cause(): DeathCause | undefined {
    return this.#cause;
  }

  /** What native code worked on when the worker crashed or hung. */
  get suspects(): readonly string[] {
    return this.#suspects;
  }

  /** What native code writes. */
  get output(): readonly Readable[] {
    return this.#channel.output;
  }

  get isServing(): boolean {
    return this.#stage === 'listening' && this.#hungAt === undefined && this.#snapshot?.serving === true;
  }

  get isReady(): boolean {
    return this.#stage === 'listening' && this.#snapshot?.ready === true;
  }

  /** Time from fork to listening; models that are loaded first have a limit of their own. */
  get bootLimitMs(): number {
    const { warm, config } = this.start;
    const { bootTimeoutMs, loadTimeoutMs } = config.supervisor;
    return warm.length > 0 || config.model.load === 'eager' ? bootTimeoutMs + loadTimeoutMs : bootTimeoutMs;
  }

  /** Returns the deadline that the worker has passed: to listen, to send a heartbeat, to end while it hangs, to drain. */
  toTimedOut(nowMs: number): 'boot' | 'heartbeat' | 'harakiri' | 'grace' | undefined {
    const { supervisor, shutdown } = this.start.config;
    if (this.#stage === 'forked') return nowMs - this.forkedAt > this.bootLimitMs ? 'boot' : undefined;
    if (nowMs - this.#heardAt > supervisor.heartbeatTimeoutMs) return 'heartbeat';
    if (nowMs - (this.#hungAt ?? nowMs) > supervisor.harakiriMs) return 'harakiri';
    return nowMs - (this.#drainingAt ?? nowMs) > shutdown.graceMs ? 'grace' : undefined;
  }

  /** @see WorkerChannel.send */
  send(message: ToWorker, socket?: Socket, onError?: () => void): void {
    this.#channel.send(message, socket, onError);
  }

  /** Answers `hello` with what the worker needs to start. */
  sendStart(): void {
    const { warm, hung } = this.start;
    const { hasJournal } = this.#channel;
    const nativeLibrary = findNativeLibrary();
    this.send({ type: 'start', ...this.start, warm: [...warm], hung: [...hung], hasJournal, nativeLibrary });
  }

  recordListening(): void {
    if (this.#stage !== 'forked') return;
    this.#stage = 'listening';
    this.#listeningAt = this.#heardAt;
  }

  recordSnapshot(snapshot: WorkerSnapshot): void {
    this.#hasAnswered = snapshot.requests > (this.#snapshot?.requests ?? 0);
    this.#snapshot = snapshot;
    this.#hasReported = this.#stage !== 'forked';
  }

  /** Starts the time limit of a worker whose native work hangs. */
  recordHang(): void {
    this.#hungAt ??= this.#heardAt;
  }

  /** Kills a worker that can't start. */
  giveUp(reason: string, exitCode: number): void {
    this.#unable = { reason, exitCode };
    this.kill('boot');
  }

  /** Grants more time for the next heartbeat. */
  extendHeartbeat(ms: number): void {
    this.#heardAt += ms;
  }

  /** Keeps a worker whose candidate has failed, before another one is tried. */
  keep(ms: number): void {
    this.#failedReplacements += 1;
    this.#keptUntil = performance.now() + ms;
  }

  /** Asks the worker to finish what is in flight and end; one that does not listen yet has nothing in flight. */
  drain(because: DrainReason): void {
    if (this.#stage === 'exited') return;
    if (this.#stage === 'forked') this.kill();
    this.#stage = 'draining';
    this.#drainingAt ??= performance.now();
    this.send({ type: 'drain', because });
  }

  /** Ends the process by SIGKILL. @param reason why the slot needs another worker */
  kill(reason?: RestartReason): void {
    if (reason === 'heartbeat' && this.pid !== undefined) this.#wasStopped = isStopped(this.pid);
    this.#killReason ??= reason;
    this.#isKilled = true;
    this.#channel.kill();
  }

  #recordEnd({ text, signal, wasForked, inFlight }: ProcessEnd): void {
    const { claimOomKill } = this.#listener;
    const [isKilled, killReason, wasStopped] = [this.#isKilled, this.#killReason, this.#wasStopped];
    this.#stage = 'exited';
    this.#ending = text;
    this.#cause = wasForked ? toDeathCause({ signal, isKilled, killReason, wasStopped, claimOomKill }) : undefined;
    if (this.#cause === 'crash' || this.#cause === 'hang') this.#suspects = inFlight;
    this.#listener.onExit(this);
  }
}
