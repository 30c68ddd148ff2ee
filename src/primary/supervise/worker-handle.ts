import type { Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Config } from '../../config/schema.ts';
import { toMessage } from '../../errors.ts';
import type { InFlightRecord } from '../../ipc/in-flight-journal.ts';
import {
  type EngineName,
  type HungModel,
  type ToPrimary,
  toPrimaryMessage,
  type ToWorker,
  type WorkerSnapshot,
} from '../../ipc/messages.ts';
import type { RestartReason } from '../../metrics/primary-metrics.ts';
import { findNativeLibrary } from '../../native-library.ts';
import { type DeathCause, isStopped, toDeathCause } from './death-cause.ts';
import type { TakenProcess } from './early-worker.ts';
import { forkWorker } from './worker-process.ts';

/** A worker process as the primary sees it. */
export type Stage = 'forked' | 'listening' | 'draining' | 'exited';

/** What a new worker is told. */
interface WorkerStart {
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

/** What a worker's supervisor hears. */
export interface WorkerListener {
  onMessage(worker: WorkerHandle, message: ToPrimary): void;
  onExit(worker: WorkerHandle): void;
  /** @see OomKills.claim */
  readonly claimOomKill: () => boolean;
}

/** How long the last lines of a dead worker may take to be read. */
const lastOutputMs = 200;

/** One worker process: its stage, its last snapshot, and the typed channel to it. */
export class WorkerHandle {
  readonly start: WorkerStart;
  readonly forkedAt = performance.now();
  listeningAt: number | undefined;
  drainingAt: number | undefined;
  heardAt = this.forkedAt;
  stage: Stage = 'forked';
  snapshot: WorkerSnapshot | undefined;
  /** Whether the last snapshot tells of more answers than the one before. */
  hasAnswered = false;
  /** Whether a snapshot has come since the worker listens. */
  hasReported = false;
  /** What the worker said before it gave up. */
  unable: { readonly reason: string; readonly exitCode: number } | undefined;
  /** When it said that one of its threads hangs. */
  stuckAt: number | undefined;
  /** Why the primary killed it. */
  killReason: RestartReason | undefined;
  isKilled = false;
  /** 0…1, drawn once: how much chance adds to its limits. */
  readonly jitter = Math.random();
  /** Workers that should have taken over when it had reached a limit, and until when the next one waits. */
  failedReplacements = 0;
  keptUntilMs = 0;
  /** How it ended, in words. */
  ending = '';
  /** Why it died; undefined while it lives, and for one that could not be forked. */
  cause: DeathCause | undefined;
  /** What native code was working on when it crashed or hung. */
  suspects: readonly string[] = [];
  #wasStopped = false;
  readonly #inFlightRecord: InFlightRecord | undefined;
  readonly #listener: WorkerListener;
  #process: Worker | undefined;

  /** Forks a worker, unless its process is there; when the system refuses to, the handle exits at once. */
  constructor(start: WorkerStart, listener: WorkerListener, taken?: TakenProcess) {
    this.start = start;
    this.#listener = listener;
    try {
      const { worker, inFlightRecord } = taken ?? forkWorker();
      this.#process = worker;
      this.#inFlightRecord = inFlightRecord;
    } catch (error) {
      setImmediate(() => {
        this.#exit(`could not be forked: ${toMessage(error)}`);
      });
      return;
    }
    this.#listen(this.#process);
    setImmediate(() => {
      for (const message of taken?.heard ?? []) this.#hear(message);
    });
  }

  get slot(): number {
    return this.start.slot;
  }

  get pid(): number | undefined {
    return this.#process?.process.pid;
  }

  /** What native code writes. */
  get output(): readonly Readable[] {
    const { stdout, stderr } = this.#process?.process ?? {};
    return [stdout, stderr].flatMap((stream) => stream ?? []);
  }

  get isServing(): boolean {
    return this.stage === 'listening' && this.stuckAt === undefined && this.snapshot?.serving === true;
  }

  get isReady(): boolean {
    return this.stage === 'listening' && this.snapshot?.ready === true;
  }

  /** Time from fork to listening: a load that comes first has a limit of its own, and a reason that must be told. */
  get bootLimitMs(): number {
    const { warm, config } = this.start;
    const { bootTimeoutMs, loadTimeoutMs } = config.supervisor;
    return warm.length > 0 || config.model.load === 'eager' ? bootTimeoutMs + loadTimeoutMs : bootTimeoutMs;
  }

  /** Says which deadline the worker has passed: to listen, to be heard from, to end beside a stuck thread, or to finish. */
  toTimedOut(nowMs: number): 'boot' | 'heartbeat' | 'harakiri' | 'grace' | undefined {
    const { supervisor, shutdown } = this.start.config;
    if (this.stage === 'forked') return nowMs - this.forkedAt > this.bootLimitMs ? 'boot' : undefined;
    if (nowMs - this.heardAt > supervisor.heartbeatTimeoutMs) return 'heartbeat';
    if (nowMs - (this.stuckAt ?? nowMs) > supervisor.harakiriMs) return 'harakiri';
    return nowMs - (this.drainingAt ?? nowMs) > shutdown.graceMs ? 'grace' : undefined;
  }

  /** Sends a message, with a client's socket that stays open here; a failure is told to `onError` only. */
  send(message: ToWorker, socket?: Socket, onError?: () => void): void {
    this.#process?.process.send(message, socket, { keepOpen: true }, (error) => {
      if (error !== null) onError?.();
    });
  }

  /** Asks the worker to finish what is in flight and end; one that does not listen yet has nothing in flight. */
  drain(because: 'shutdown' | 'replaced'): void {
    if (this.stage === 'exited') return;
    if (this.stage === 'forked') this.kill();
    this.stage = 'draining';
    this.drainingAt ??= performance.now();
    this.send({ type: 'drain', because });
  }

  /** Ends the process by SIGKILL, which works on a frozen one too. */
  kill(reason?: RestartReason): void {
    if (reason === 'heartbeat' && this.pid !== undefined) this.#wasStopped = isStopped(this.pid);
    this.killReason ??= reason;
    this.isKilled = true;
    this.#process?.process.kill('SIGKILL');
  }

  #listen(worker: Worker): void {
    worker.on('message', (received: unknown) => {
      this.#hear(received);
    });
    worker.on('disconnect', () => {
      // Without its channel a worker can be neither watched nor drained.
      worker.process.kill('SIGKILL');
    });
    worker.on('error', (error) => {
      if (worker.process.pid === undefined) this.#exit(`could not be forked: ${error.message}`);
    });
    // A compiler that it started may hold the pipes open for long after it.
    worker.process.once('exit', () => {
      setTimeout(() => {
        for (const stream of this.output) stream.destroy();
      }, lastOutputMs);
    });
    // Unlike 'exit', 'close' comes after the last message was read: an acknowledgement sent just before death counts.
    worker.process.once('close', (code: number | null, signal: string | null) => {
      const { isKilled, killReason } = this;
      const { claimOomKill } = this.#listener;
      const wasStopped = this.#wasStopped;
      this.cause = toDeathCause({ signal: signal ?? undefined, isKilled, killReason, wasStopped, claimOomKill });
      this.#exit(signal ?? `exit code ${String(code)}`);
    });
  }

  #note(message: ToPrimary): void {
    if (message.type === 'hello') {
      const { warm, hung } = this.start;
      const hasJournal = this.#inFlightRecord !== undefined;
      const nativeLibrary = findNativeLibrary();
      this.send({ type: 'start', ...this.start, warm: [...warm], hung: [...hung], hasJournal, nativeLibrary });
    } else if (message.type === 'listening' && this.stage === 'forked') {
      this.stage = 'listening';
      this.listeningAt = this.heardAt;
    } else if (message.type === 'snapshot') {
      this.hasAnswered = message.snapshot.requests > (this.snapshot?.requests ?? 0);
      this.snapshot = message.snapshot;
      this.hasReported = this.stage !== 'forked';
    } else if (message.type === 'stuck') {
      this.stuckAt ??= this.heardAt;
    } else if (message.type === 'unable') {
      this.unable = message;
      this.kill('boot');
    }
  }

  #hear(received: unknown): void {
    const message = toPrimaryMessage(received);
    if (message === undefined) return;
    this.heardAt = performance.now();
    this.#note(message);
    this.#listener.onMessage(this, message);
  }

  #exit(ending: string): void {
    if (this.stage === 'exited') return;
    this.stage = 'exited';
    this.ending = ending;
    const inFlight = this.#inFlightRecord?.close() ?? [];
    if (this.cause === 'crash' || this.cause === 'hang') this.suspects = inFlight;
    this.#listener.onExit(this);
  }
}
