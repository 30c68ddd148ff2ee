/** Starts per turn: few, because only one connection per turn arrives from the primary. */
const maxStarts = 4;

const waiting: (() => void)[] = [];
let isScheduled = false;

/** Calls `start` in a later turn of the event loop, at most four in one turn. */
export function startInTurn(start: () => void): void {
  waiting.push(start);
  schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(() => {
    isScheduled = false;
    const starts = waiting.splice(0, maxStarts);
    if (waiting.length > 0) schedule();
    for (const start of starts) start();
  });
}
