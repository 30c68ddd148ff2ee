import { exitCodes, ExitError } from '../errors.ts';
import { useNativeLibrary } from '../native-library.ts';
import { locateCache } from './cache.ts';
import { runInterruptibly } from './interruption.ts';
import { forgetVerification } from './inventory.ts';
import { describeMachine, findObstacle } from './machine.ts';
import { findForeignAccess } from './ownership.ts';
import { clearCrashes, probeOnce } from './probing.ts';
import { createProgress, type ProgressKind } from './progress.ts';
import { provisionLibrary } from './provision.ts';
import { completeOptions, type SetupOptions } from './setup-options.ts';
import { toLine, UnavailableError } from './unavailable-error.ts';

/** The engine to use; `why` is one line for the user. */
export type EngineChoice =
  | { readonly engine: 'tensorflow'; readonly libraryVersion: string }
  | { readonly engine: 'wasm'; readonly why: string; readonly cause?: unknown };

/** The wanted engine, and how to show progress. */
export interface EngineChoiceOptions extends SetupOptions {
  readonly wanted: 'auto' | 'tensorflow' | 'wasm';
  readonly progress: ProgressKind;
}

/**
 * Chooses the engine, after setting up native TensorFlow and probing it in a separate process.
 * Takes a few milliseconds when both were done before.
 * @throws ExitError 78 when `tensorflow` is wanted and unavailable, 73 when that is because the cache is not writable,
 * 128 + signal when a signal ends the setup.
 */
export async function chooseEngine(options: EngineChoiceOptions): Promise<EngineChoice> {
  if (options.wanted === 'wasm') {
    return { engine: 'wasm', why: 'model.engine is wasm' };
  }
  try {
    const libraryVersion = await runInterruptibly((signal) => prepareTensorFlow(options, signal));
    return { engine: 'tensorflow', libraryVersion };
  } catch (thrown) {
    const why = toReason(thrown);
    if (options.wanted === 'tensorflow') {
      if (thrown instanceof ExitError) throw thrown;
      const message = `model.engine is tensorflow, but ${why}; run image-check doctor for a fix`;
      throw new ExitError(exitCodes.configuration, message, { cause: thrown });
    }
    return { engine: 'wasm', why, cause: thrown };
  }
}

async function prepareTensorFlow(options: EngineChoiceOptions, signal: AbortSignal): Promise<string> {
  const machine = describeMachine();
  const obstacle = findObstacle(machine);
  if (obstacle !== undefined) throw new UnavailableError(obstacle);
  const { environment, packageFolder, wheel, probe } = completeOptions(options);
  const cache = await locateCache(environment, packageFolder, wheel);
  const progress = createProgress(options.progress);
  if (await clearCrashes(cache.folder)) await forgetVerification(cache.folder);
  await provisionLibrary({ cache, wheel, packageFolder, environment, progress, signal });
  const foreign = await findForeignAccess(cache.folder);
  if (foreign !== undefined) throw new UnavailableError(foreign);
  try {
    const version = await probeOnce({ engine: 'tensorflow', environment, signal, ...probe }, machine, cache.folder);
    useNativeLibrary(cache.folder);
    return version;
  } catch (thrown) {
    await forgetVerification(cache.folder);
    throw thrown;
  }
}

/** Why TensorFlow is unavailable, system errors included; rethrows bugs. */
function toReason(thrown: unknown): string {
  if (thrown instanceof UnavailableError) return thrown.message;
  if (thrown instanceof ExitError && thrown.exitCode === exitCodes.cacheNotWritable) return toLine(thrown.message);
  if (thrown instanceof Error && 'syscall' in thrown) {
    return `setting up TensorFlow failed: ${toLine(thrown.message)}`;
  }
  throw thrown;
}
