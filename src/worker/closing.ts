import type { HttpDependencies } from '../http/dependencies.ts';
import type { ToWorker } from '../ipc/messages.ts';

/** Why a worker drains. */
export type Draining = Extract<ToWorker, { type: 'drain' }>['because'];

interface Closing extends Pick<HttpDependencies, 'draining' | 'shedConnection'> {
  readonly drain: (because: Draining) => void;
  readonly shed: (connections: number) => void;
}

/** Creates the state that decides which connections a worker closes after an answer. */
export function createClosing(): Closing {
  let because: Draining | undefined;
  let toShed = 0;
  return {
    drain: (reason) => {
      because = reason;
    },
    draining: () => because,
    shed: (connections) => {
      toShed = connections;
    },
    shedConnection: () => toShed > 0 && toShed-- > 0,
  };
}
