import type { Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { toMessage } from '../../errors.ts';
import type { InFlightRecord } from '../../ipc/in-flight-journal.ts';
import { type ToPrimary, toPrimaryMessage, type ToWorker } from '../../ipc/messages.ts';
import type { TakenProcess } from './early-worker.ts';
import { forkWorker } from './worker-process.ts';

/** How a process ended. */
export interface ProcessEnd {
  /** The signal, the exit code or the error of the fork, in words. */
  readonly text: string;
  readonly signal: string | undefined;
  /** False where the system refused to fork. */
  readonly wasForked: boolean;
  /** What native code worked on. */
  readonly inFlight: readonly string[];
}

interface ChannelEvents {
  readonly onMessage: (message: ToPrimary) => void;
  /** Called once, never from within the constructor. */
  readonly onEnd: (end: ProcessEnd) => void;
}

/** Time for the last lines of a dead worker to be read. */
const lastOutputMs = 200;

/** The process of one worker, with its typed channel. */
export class WorkerChannel {
  readonly #events: ChannelEvents;
  readonly #inFlightRecord: InFlightRecord | undefined;
  readonly #process: Worker | undefined;
  #hasEnded = false;

  /** Forks a process unless one is given; where the system refuses to, the channel ends at once. */
  constructor(events: ChannelEvents, taken?: TakenProcess) {
    this.#events = events;
    try {
      const { worker, inFlightRecord } = taken ?? forkWorker();
      this.#process = worker;
      this.#inFlightRecord = inFlightRecord;
    } catch (error) {
      setImmediate(() => {
        this.#end({ text: `could not be forked: ${toMessage(error)}`, signal: undefined, wasForked: false });
      });
      return;
    }
    this.#listen(this.#process);
    setImmediate(() => {
      for (const message of taken?.heard ?? []) this.#hear(message);
    });
  }

  get pid(): number | undefined {
    return this.#process?.process.pid;
  }

  /** Whether the worker has a journal of the images in flight. */
  get hasJournal(): boolean {
    return this.#inFlightRecord !== undefined;
  }

  /** What native code writes. */
  get output(): readonly Readable[] {
    const { stdout, stderr } = this.#process?.process ?? {};
    return [stdout, stderr].flatMap((stream) => stream ?? []);
  }

  /** Sends a message, with a client's socket that stays open here; only `onError` learns of a failure. */
  send(message: ToWorker, socket?: Socket, onError?: () => void): void {
    this.#process?.process.send(message, socket, { keepOpen: true }, (error) => {
      if (error !== null) onError?.();
    });
  }

  /** Ends the process by SIGKILL, which works on a frozen one too. */
  kill(): void {
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
      if (worker.process.pid !== undefined) return;
      this.#end({ text: `could not be forked: ${error.message}`, signal: undefined, wasForked: false });
    });
    // A compiler that it started may hold the pipes open long after its end.
    worker.process.once('exit', () => {
      setTimeout(() => {
        for (const stream of this.output) stream.destroy();
      }, lastOutputMs);
    });
    // Unlike 'exit', 'close' comes after the last message was read: an acknowledgement sent just before death counts.
    worker.process.once('close', (code: number | null, signal: string | null) => {
      this.#end({ text: signal ?? `exit code ${String(code)}`, signal: signal ?? undefined, wasForked: true });
    });
  }

  #hear(received: unknown): void {
    const message = toPrimaryMessage(received);
    if (message !== undefined) this.#events.onMessage(message);
  }

  #end(end: Omit<ProcessEnd, 'inFlight'>): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#events.onEnd({ ...end, inFlight: this.#inFlightRecord?.close() ?? [] });
  }
}
