import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { exitCodes, ExitError, toMessage } from '../errors.ts';

/**
 * Writes the pid of this process, whole or not at all.
 * @throws ExitError 78 when the file can't be written.
 */
export function writePidFile(file: string): void {
  const unfinished = `${file}.${String(process.pid)}`;
  try {
    writeFileSync(unfinished, `${String(process.pid)}\n`);
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw new ExitError(exitCodes.configuration, `can't write the pid file: ${toMessage(error)}`, { cause: error });
  }
}

/** Removes the pid file, unless another process has put its own there since. */
export function removePidFile(file: string): void {
  try {
    if (readFileSync(file, 'utf8').trim() === String(process.pid)) rmSync(file);
  } catch {
    // Somebody was faster.
  }
}
