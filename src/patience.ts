/** A wait is made of so many: while the process stands still, one of them passes at most. */
const parts = 16;

/**
 * Calls `onOver` after `limitMs` in which this process was able to see an end of what it waits for. A container that is
 * paused, or a machine with too much to do, stops both; a plain timer would fire first when they go on.
 * @returns a function that ends the wait
 */
export function startPatience(limitMs: number, onOver: () => void): () => void {
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
