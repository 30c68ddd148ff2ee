import { ExitError, exitCodes } from '../errors.ts';
import { locateCache } from './cache.ts';
import { runInterruptibly } from './interruption.ts';
import { linkLibrary } from './links.ts';
import { describeMachine, findObstacle } from './machine.ts';
import { probeOnce } from './probing.ts';
import { createProgress, type ProgressKind } from './progress.ts';
import { provisionLibrary } from './provision.ts';
import { completeOptions, type SetupOptions } from './setup-options.ts';
import { toLine, UnavailableError } from './unavailable-error.ts';

/** The engine that this machine can run; `why` is one line for the user. */
export type EngineChoice =
  | { readonly engine: 'tensorflow'; readonly libraryVersion: string }
  | { readonly engine: 'wasm'; readonly why: string };

/** What is wanted, and how the setup shows its steps. */
export interface EngineChoiceOptions extends SetupOptions {
  readonly wanted: 'auto' | 'tensorflow' | 'wasm';
  readonly progress: ProgressKind;
}

/**
 * Chooses the engine, after setting up native TensorFlow and trying it in a throwaway process.
 * Takes a few milliseconds when all of that was done before.
 * @throws ExitError 78 when `tensorflow` is wanted and can't be had, 73 when the cache can't be written,
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
      const message = `model.engine is tensorflow, but ${why}; image-check doctor tells the mend`;
      throw new ExitError(exitCodes.configuration, message, { cause: thrown });
    }
    return { engine: 'wasm', why };
  }
}

async function prepareTensorFlow(options: EngineChoiceOptions, signal: AbortSignal): Promise<string> {
  const machine = describeMachine();
  const obstacle = findObstacle(machine);
  if (obstacle !== undefined) {
    throw new UnavailableError(obstacle);
  }
  const { environment, packageFolder, wheel, probe } = completeOptions(options);
  const cache = await locateCache(environment, packageFolder, wheel);
  const progress = createProgress(options.progress);
  await provisionLibrary({ cache, wheel, packageFolder, environment, progress, signal });
  await linkLibrary(packageFolder, cache.folder);
  return probeOnce({ engine: 'tensorflow', environment, signal, ...probe }, machine, cache.folder);
}

/** Tells why TensorFlow can't be had; a full disk or a vanished file is a reason too, a bug is not. */
function toReason(thrown: unknown): string {
  if (thrown instanceof UnavailableError) {
    return thrown.message;
  }
  if (thrown instanceof Error && 'syscall' in thrown) {
    return `setting up TensorFlow failed: ${toLine(thrown.message)}`;
  }
  throw thrown;
}
