import type { WorkerSnapshot } from '../ipc/messages.ts';

/** How soon after a change a snapshot follows: one costs 3 ms of CPU, so five a second are 1.5 %. */
const soonMs = 200;

/**
 * Pushes a snapshot every `intervalMs`, from the HTTP thread: what it says is true of the thread that clients meet.
 * @returns a function that lets the next one come soon, for what somebody may be looking for in /health
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
    dueAt = performance.now() + afterMs;
    timer = setTimeout(beat, afterMs);
  };
  const beat = (): void => {
    timer = undefined;
    void takeSnapshot().then((snapshot) => {
      push(snapshot);
      schedule(intervalMs);
    });
  };
  beat();
  return () => {
    if (timer && dueAt - performance.now() > soonMs) schedule(soonMs);
  };
}
