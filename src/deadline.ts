import { setMaxListeners } from 'node:events';

/** When a caller stops waiting: at a deadline, or as soon as it is gone. */
export interface Deadline {
  /** On the clock of `performance.now()`; Infinity for no deadline. */
  readonly deadlineAt: number;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
}

/** Why a caller stopped waiting. */
export type DeadlineEnd = 'deadline' | 'gone';

const neverAborted = new AbortController().signal;
// Shared by all callers: many listeners are not a leak.
setMaxListeners(0, neverAborted);

/** For callers that wait as long as it takes. */
export const noDeadline: Deadline = { deadlineAt: Infinity, signal: neverAborted };

/** Tells why the caller stopped waiting; undefined while it still waits. */
export function toDeadlineEnd({ deadlineAt, signal }: Deadline): DeadlineEnd | undefined {
  if (signal.aborted) return 'gone';
  return performance.now() >= deadlineAt ? 'deadline' : undefined;
}

/**
 * Calls `onEnd` when the deadline passes or the caller is gone.
 * @returns a function that stops the watch
 */
export function watchDeadline(deadline: Deadline, onEnd: (end: DeadlineEnd) => void): () => void {
  const { deadlineAt, signal } = deadline;
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
