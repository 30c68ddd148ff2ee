import type { WorkerSnapshot } from '../ipc/messages.ts';

/** How soon a snapshot follows when it became quiet: what changed last is in it, and a busy worker sends none between. */
const quietMs = 200;

/**
 * Pushes a snapshot every `intervalMs`, from the HTTP thread: what it says is true of the thread that clients meet.
 * @returns a function to be called at each change: soon after the last one a snapshot comes, for what somebody may be
 * looking for in /health
 */
export function startHeartbeat(
  intervalMs: number,
  takeSnapshot: () => Promise<WorkerSnapshot>,
  push: (snapshot: WorkerSnapshot) => void,
): () => void {
  let dueAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const schedule = (afterMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(beat, afterMs);
  };
  const beat = (): void => {
    timer = undefined;
    void takeSnapshot().then((snapshot) => {
      push(snapshot);
      dueAt = performance.now() + intervalMs;
      schedule(intervalMs);
    });
  };
  beat();
  return () => {
    if (timer) schedule(Math.min(quietMs, Math.max(0, dueAt - performance.now())));
  };
}
