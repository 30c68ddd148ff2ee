import type { HttpDependencies } from '../http/dependencies.ts';
import type { DrainReason } from '../ipc/messages.ts';

interface Closing extends Pick<HttpDependencies, 'draining' | 'shedConnection'> {
  readonly drain: (because: DrainReason) => void;
  readonly shed: (connections: number) => void;
}

/** Creates the state that decides which connections a worker closes after an answer. */
export function createClosing(): Closing {
  let because: DrainReason | undefined;
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
