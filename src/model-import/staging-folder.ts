import { rmdirSync, rmSync } from 'node:fs';
import { lstat, mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { toMessage } from '../errors.ts';

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `work` on a temporary folder that then becomes `target` atomically; after a failure nothing is left.
 * @throws Error if `target` exists
 */
export async function fillFolder<T>(target: string, work: (staging: string) => Promise<T>): Promise<T> {
  await assertFree(target);
  const parent = path.dirname(target);
  // A name that is no version in the models folder.
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
    // Another process may have added another version meanwhile.
    if (firstMade !== undefined) await rmdir(parent).catch(() => undefined);
    throw thrown;
  } finally {
    stopListening();
  }
}

async function assertFree(target: string): Promise<void> {
  const found = await lstat(target).catch(() => undefined);
  if (found) throw new Error(`${target}: already exists; it is left unchanged`);
}

/** Cleans up before a signal ends the process with the exit code of a shell. */
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
