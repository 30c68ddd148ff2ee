import { setMaxListeners } from 'node:events';

/** How long somebody waits for something. */
export interface Waiting {
  /** On the clock of `performance.now()`; Infinity for no deadline. */
  readonly deadlineAt: number;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** Why nobody waits any more. */
export type WaitingEnd = 'deadline' | 'gone';

const neverAborted = new AbortController().signal;
// Shared by everybody: many listeners are no leak.
setMaxListeners(0, neverAborted);

/** Waits as long as it takes. */
export const waitForEver: Waiting = { deadlineAt: Infinity, signal: neverAborted };

/** Says whether, and why, nobody waits any more. */
export function toWaitingEnd({ deadlineAt, signal }: Waiting): WaitingEnd | undefined {
  if (signal.aborted) return 'gone';
  return performance.now() >= deadlineAt ? 'deadline' : undefined;
}

/**
 * Calls `onEnd` when the deadline has passed or nobody waits any more.
 * @returns what stops the watch
 */
export function watchWaiting(waiting: Waiting, onEnd: (end: WaitingEnd) => void): () => void {
  const { deadlineAt, signal } = waiting;
  const onAbort = (): void => {
    onEnd('gone');
  };
  const onDeadline = (): void => {
    onEnd('deadline');
  };
  const timer =
    deadlineAt === Infinity ? undefined : setTimeout(onDeadline, Math.max(0, deadlineAt - performance.now()));
  if (signal.aborted) setImmediate(onAbort);
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  };
}
