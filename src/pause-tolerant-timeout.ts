/** Timers per timeout: while the process is paused, at most one of them elapses. */
const parts = 16;

/**
 * Calls `onOver` after `limitMs` of time in which this process ran. A paused container or an overloaded machine stops both
 * this process and the work that it waits for; a plain timer would fire first when they resume.
 * @returns a function that cancels the timeout
 */
export function startPauseTolerantTimeout(limitMs: number, onOver: () => void): () => void {
  let left = parts;
  const wait = (): NodeJS.Timeout =>
    setTimeout(() => {
      left -= 1;
      if (left === 0) onOver();
      else timer = wait();
    }, limitMs / parts);
  let timer = wait();
  return () => {
    clearTimeout(timer);
  };
}
