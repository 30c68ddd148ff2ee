import { setImmediate } from 'node:timers/promises';
import type { DecodeTurn } from './decode-gate.ts';

/** Returns the number of rows of a band that takes about `operationsPerBand`, at least one. */
export function toBandRows(operationsPerRow: number, operationsPerBand: number): number {
  return Math.max(1, Math.floor(operationsPerBand / operationsPerRow));
}

/**
 * Processes rows in bands. Between two bands the thread, which also serves HTTP, handles other events.
 * @throws ERR_DECODE_TIMEOUT, ERR_DEADLINE when the caller is gone
 */
export async function processBands(
  rows: number,
  bandRows: number,
  { assertWanted }: Pick<DecodeTurn, 'assertWanted'>,
  processBand: (from: number, to: number) => void,
): Promise<void> {
  for (let from = 0; from < rows; from += bandRows) {
    if (from > 0) {
      await setImmediate();
      assertWanted();
    }
    processBand(from, Math.min(rows, from + bandRows));
  }
}
