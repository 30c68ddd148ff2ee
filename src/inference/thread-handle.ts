import { Worker } from 'node:worker_threads';
import { toEntryUrl } from '../entry-url.ts';
import type { EngineName } from '../ipc/messages.ts';
import type { FromThread, LoadedFacts, ThreadAnswer, ThreadData, ToThread } from '../ipc/thread-messages.ts';

/** Result of a batch. */
export type Scores = Omit<Extract<ThreadAnswer, { type: 'scores' }>, 'type' | 'id'>;

/** Parameters of a load. */
export type LoadTask = Omit<Extract<ToThread, { type: 'load' }>, 'type' | 'id'>;

/** Result of a load. */
export type LoadOutcome =
  ({ readonly kind: 'loaded' } & LoadedFacts) | { readonly kind: 'uncompiled'; readonly tensorflowVersion: string };

type Answer = Exclude<ThreadAnswer, { type: 'failed' }>;

interface ThreadEvents {
  /** The engine is loaded; called once. */
  readonly onStarted: () => void;
  /** The thread ended on its own. */
  readonly onLost: () => void;
}

interface Asked {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** The HTTP thread's handle of one model thread, which starts its engine immediately and holds one model. */
export class ThreadHandle {
  readonly #thread: Worker;
  readonly #asked = new Map<number, Asked>();
  #nextId = 0;
  #lost: Error | undefined;

  constructor(engine: EngineName, { onStarted, onLost }: ThreadEvents) {
    const workerData: ThreadData = { engine };
    this.#thread = new Worker(toEntryUrl('./model-thread', import.meta.url), { workerData });
    const onEnd = (reason: string): void => {
      if (this.#lost !== undefined) return;
      this.abandon(new Error(reason));
      onLost();
    };
    this.#thread.on('message', (message: FromThread) => {
      if (message.type === 'started') onStarted();
      else this.#receive(message);
    });
    this.#thread.on('error', (error: Error) => {
      onEnd(`the model thread failed: ${error.message}`);
    });
    this.#thread.on('exit', () => {
      onEnd('the model thread ended');
    });
    // Lets an idle process end. Comes last, as adding a message listener refs the thread again.
    this.#thread.unref();
  }

  /** Loads a model, or reports that it is not compiled yet. @throws Error with the reason */
  async load(task: LoadTask): Promise<LoadOutcome> {
    const answer = await this.#ask({ type: 'load', id: this.#nextId++, ...task });
    if (answer.type === 'loaded') return { kind: 'loaded', ...answer.loaded };
    if (answer.type === 'uncompiled') return { kind: 'uncompiled', tensorflowVersion: answer.tensorflowVersion };
    throw new Error(`the model thread answered ${answer.type} to load`);
  }

  /** @param batch uint8 `[count, height, width, 3]`; its buffer is transferred to the thread */
  async run(batch: Uint8Array<ArrayBuffer>, count: number, wantsMaps: boolean): Promise<Scores> {
    const answer = await this.#ask({ type: 'run', id: this.#nextId++, batch, count, wantsMaps }, [batch.buffer]);
    if (answer.type !== 'scores') throw new Error(`the model thread answered ${answer.type} to run`);
    return answer;
  }

  /**
   * Abandons a thread that hangs; its pending requests fail with `error`.
   * terminate() never resolves while a thread is stuck in native code; the thread ends with its process.
   */
  abandon(error: Error): void {
    this.#lost = error;
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }

  #receive(message: ThreadAnswer): void {
    const asked = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    if (message.type === 'failed') asked?.reject(new Error(message.reason));
    else asked?.resolve(message);
  }

  #ask(message: ToThread, transfer: ArrayBuffer[] = []): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) {
        reject(this.#lost);
        return;
      }
      this.#asked.set(message.id, { resolve, reject });
      this.#thread.postMessage(message, transfer);
    });
  }
}
