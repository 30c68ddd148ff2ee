// Which images native code works on, kept where it survives a crash: in an unlinked file that the primary opens for each
// worker. An entry costs 1 to 2 µs of CPU and no round trip to the primary.
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Fits a SHA-256 in hex and the name of a model; a longer entry is cut and matches nothing. */
const entryBytes = 192;
const maxEntries = 512;

/** The worker's end. */
export interface InFlightJournal {
  /** Adds entries until the returned function is called. */
  readonly enter: (suspects: readonly string[]) => () => void;
}

/** Creates the worker's end. @param descriptor of the open file */
export function createInFlightJournal(descriptor: number): InFlightJournal {
  const free = Array.from({ length: maxEntries }, (_, index) => index).reverse();
  const write = (entry: number, text: string): void => {
    const bytes = Buffer.alloc(entryBytes);
    bytes.write(text);
    writeSync(descriptor, bytes, 0, entryBytes, entry * entryBytes);
  };
  return {
    enter(suspects) {
      // Entries beyond the capacity are dropped.
      const taken = free.splice(-Math.min(suspects.length, free.length), suspects.length);
      for (const [index, entry] of taken.entries()) write(entry, suspects[index] ?? '');
      return () => {
        for (const entry of taken.splice(0)) {
          write(entry, '');
          free.push(entry);
        }
      };
    },
  };
}

/** The primary's end. */
export interface InFlightRecord {
  readonly descriptor: number;
  /** Reads what was in flight when the worker ended, and closes the file. */
  readonly close: () => string[];
}

/** Opens a file for one worker; undefined if no temporary file can be created. */
export function openInFlightRecord(): InFlightRecord | undefined {
  const file = path.join(tmpdir(), `image-check-in-flight-${randomUUID()}`);
  try {
    const descriptor = openSync(file, 'wx+', 0o600);
    unlinkSync(file);
    return { descriptor, close: () => closeRecord(descriptor) };
  } catch {
    return undefined;
  }
}

function closeRecord(descriptor: number): string[] {
  const bytes = Buffer.alloc(maxEntries * entryBytes);
  const size = readSync(descriptor, bytes, 0, bytes.length, 0);
  closeSync(descriptor);
  const entries = Array.from({ length: Math.ceil(size / entryBytes) }, (_, index) =>
    bytes.toString('utf8', index * entryBytes, (index + 1) * entryBytes).replace(/\0+$/, ''),
  );
  return entries.filter((entry) => entry !== '');
}
