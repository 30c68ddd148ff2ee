import type { WorkerSnapshot } from '../ipc/messages.ts';

/** Time without a change after which a snapshot follows (debounce); a busy worker sends none in between. */
const quietMs = 200;

/**
 * Pushes a snapshot every `intervalMs`, from the HTTP thread, so that it proves that thread alive.
 * @returns a function to call at each change: a snapshot follows soon after the last one, so that /health is current
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
