import { rmdirSync, rmSync } from 'node:fs';
import { lstat, mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { toMessage } from '../errors.ts';

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Lets `work` fill a folder that becomes `target` in one step when it is done; otherwise nothing is left of it.
 * @throws Error where `target` is there already
 */
export async function fillFolder<T>(target: string, work: (staging: string) => Promise<T>): Promise<T> {
  await assertFree(target);
  const parent = path.dirname(target);
  // A name that the models folder doesn't take for a version.
  const staging = path.join(parent, `.${path.basename(target)}.${String(process.pid)}.partial`);
  const firstMade = await mkdir(parent, { recursive: true }).catch((thrown: unknown) => {
    throw new Error(`${parent}: can't be written: ${toMessage(thrown)}`, { cause: thrown });
  });
  const stopListening = onEndingSignal(() => {
    rmSync(staging, { recursive: true, force: true });
    if (firstMade !== undefined) rmdirSync(parent);
  });
  try {
    await mkdir(staging);
    const result = await work(staging);
    await rename(staging, target).catch(async (thrown: unknown) => {
      // Another process may have been faster.
      await assertFree(target);
      throw thrown;
    });
    return result;
  } catch (thrown) {
    await rm(staging, { recursive: true, force: true });
    // Somebody else may have put another version there meanwhile.
    if (firstMade !== undefined) await rmdir(parent).catch(() => undefined);
    throw thrown;
  } finally {
    stopListening();
  }
}

async function assertFree(target: string): Promise<void> {
  const found = await lstat(target).catch(() => undefined);
  if (found) throw new Error(`${target}: is there already; it is left as it is`);
}

/** Cleans up before a signal ends the process, with the exit code that a shell reports. */
function onEndingSignal(cleanUp: () => void): () => void {
  const end = (name: NodeJS.Signals): void => {
    try {
      cleanUp();
    } finally {
      process.exit(128 + constants.signals[name]);
    }
  };
  for (const name of endingSignals) process.on(name, end);
  return () => {
    for (const name of endingSignals) process.off(name, end);
  };
}
