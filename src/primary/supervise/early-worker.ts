import { forkWorker, setUpWorkers, type WorkerProcess } from './worker-process.ts';

/** A process that a worker takes over. */
export interface TakenProcess extends WorkerProcess {
  /** Messages that it has sent before. */
  readonly heard: readonly unknown[];
}

/**
 * The first worker's process, forked before the primary reads its configuration: both load their modules at once, and the
 * first verdict comes 0.2 s earlier.
 */
export class EarlyWorker {
  #process: WorkerProcess | undefined;
  readonly #heard: unknown[] = [];
  readonly #listen = (message: unknown): void => {
    this.#heard.push(message);
  };

  /** Forks the process; if the system refuses to, there is none to take. @param exec the script that it runs */
  constructor(exec: string) {
    setUpWorkers(exec, process.execArgv);
    try {
      this.#process = forkWorker();
    } catch {
      return;
    }
    const { worker, inFlightRecord } = this.#process;
    worker.on('message', this.#listen);
    // After a failed fork or a death the supervisor forks its own process and reports why that fails.
    const onEnd = (): void => {
      if (this.#process === undefined) return;
      this.#process = undefined;
      inFlightRecord?.close();
    };
    worker.on('error', onEnd);
    worker.process.once('close', onEnd);
  }

  /** Hands the process over, once; undefined if it has ended. */
  take(): TakenProcess | undefined {
    const taken = this.#process;
    this.#process = undefined;
    taken?.worker.off('message', this.#listen);
    return taken && { ...taken, heard: this.#heard };
  }

  /** Ends the process unless it was taken. */
  kill(): void {
    this.#process?.worker.process.kill('SIGKILL');
  }
}
