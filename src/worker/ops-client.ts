import type { OpsAnswer, OpsPath, ToPrimary } from '../ipc/messages.ts';

/** Asks the primary over IPC; callers set their own timeouts. */
export interface OpsClient {
  readonly ask: (path: OpsPath) => Promise<OpsAnswer>;
  /** Delivers an answer of the primary. */
  readonly receive: (id: number, answer: OpsAnswer) => void;
}

/** Creates the worker's end of ask and answer: requests for one path share the open question. */
export function createOpsClient(send: (message: ToPrimary) => void): OpsClient {
  const open = new Map<OpsPath, Promise<OpsAnswer>>();
  const waiting = new Map<number, (answer: OpsAnswer) => void>();
  let nextId = 0;
  const ask = (path: OpsPath): Promise<OpsAnswer> =>
    new Promise((resolve) => {
      const id = nextId++;
      waiting.set(id, (answer) => {
        open.delete(path);
        resolve(answer);
      });
      send({ type: 'ask', id, path });
    });
  return {
    ask: (path) => {
      const asked = open.get(path) ?? ask(path);
      open.set(path, asked);
      return asked;
    },
    receive: (id, answer) => {
      waiting.get(id)?.(answer);
      waiting.delete(id);
    },
  };
}
