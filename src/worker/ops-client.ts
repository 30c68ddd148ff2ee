import type { OpsAnswer, OpsPath, ToPrimary } from '../ipc/messages.ts';

/** Asks the primary over IPC; who waits how long is the asker's business. */
export interface OpsClient {
  readonly ask: (path: OpsPath) => Promise<OpsAnswer>;
  /** Hands in what the primary answered. */
  readonly receive: (id: number, answer: OpsAnswer) => void;
}

/** Creates the worker's end of ask and answer. */
export function createOpsClient(send: (message: ToPrimary) => void): OpsClient {
  const waiting = new Map<number, (answer: OpsAnswer) => void>();
  let nextId = 0;
  return {
    ask: (path) =>
      new Promise((resolve) => {
        const id = nextId++;
        waiting.set(id, resolve);
        send({ type: 'ask', id, path });
      }),
    receive: (id, answer) => {
      waiting.get(id)?.(answer);
      waiting.delete(id);
    },
  };
}
