import type { CompileOutcome } from '../compile/compile-model.ts';
import type { Config } from '../config/schema.ts';
import { exitCodes, ExitError, ServiceError, toMessage } from '../errors.ts';
import { findVersion, loadModelStore, type ModelStore, type StoredVersion } from '../model/model-store.ts';
import type { ModelVersion } from '../model/model-version.ts';
import type { ConfigFlags } from './config-flags.ts';
import { prepareEngine } from './engine.ts';
import { toOwnForm } from './models-list.ts';
import { toOneLine } from './one-line.ts';

/** Flags of `models compile`. */
export interface CompileFlags extends ConfigFlags {
  readonly force?: boolean;
}

/** Compiles the named versions, or all. @returns the exit code: 1 where one is broken. */
export async function compileVersions(config: Config, names: readonly string[], isForced: boolean): Promise<number> {
  const chosen = chooseVersions(loadModelStore(config.models.dir), names);
  await prepareTensorFlow(config, 'compiling');
  const { createStoredCompiler } = await import('../compile/compile-stored.ts');
  const { loadGoldenRasters } = await import('../check/golden-rasters.ts');
  const compile = await createStoredCompiler({
    cacheDir: config.model.artefactDir,
    environment: process.env,
  });
  let exitCode = 0;
  for (const stored of chosen) {
    const name = stored.kind === 'usable' ? stored.model : stored;
    process.stdout.write(`${name.name}@${name.version}  `);
    try {
      if (stored.kind === 'broken') throw new Error(stored.reason);
      const { model } = stored;
      const loadRasters = async (): Promise<Uint8Array[]> =>
        (await loadGoldenRasters(model, config.image)).map(({ raster }) => raster);
      const startedAt = performance.now();
      const outcome = await compile(model, { isForced, loadRasters });
      const took = outcome.isNew ? `in ${String(Math.round(performance.now() - startedAt))} ms` : 'already';
      process.stdout.write(`${describeOutcome(model, outcome, took)}\n`);
    } catch (thrown) {
      exitCode = 1;
      process.stdout.write(`broken: ${toOneLine(toMessage(thrown))}\n`);
    }
  }
  return exitCode;
}

/**
 * Prepares this process for TensorFlow before anything loads it.
 * @throws ExitError 78 if native TensorFlow is not available
 */
export async function prepareTensorFlow(config: Config, what: string): Promise<void> {
  if (config.model.engine === 'wasm') {
    throw new ExitError(exitCodes.configuration, `${what} needs native TensorFlow, but model.engine is wasm`);
  }
  await prepareEngine('tensorflow');
}

/** Describes the outcome of a compilation in one line. */
export function describeOutcome(model: ModelVersion, outcome: CompileOutcome, took: string): string {
  if (outcome.kind === 'refused') {
    return `not compiled, served as it came (${toOwnForm(model)}): ${toOneLine(outcome.reason)}`;
  }
  const { nodes, usefulBatch, loadMs, maxDifference } = outcome.artefact;
  const facts = [
    `${String(nodes)} nodes`,
    `useful batch ${String(usefulBatch)}`,
    `loads in ${String(Math.round(loadMs))} ms`,
    `scores differ by at most ${maxDifference.toExponential(1)}`,
  ];
  return `compiled ${took}: ${facts.join(', ')}`;
}

function chooseVersions(store: ModelStore, names: readonly string[]): StoredVersion[] {
  if (names.length === 0) return [...store.values()].flat();
  try {
    return names.map((name) => findVersion(store, name));
  } catch (thrown) {
    const detail = thrown instanceof ServiceError ? thrown.detail : toMessage(thrown);
    throw new ExitError(exitCodes.configuration, detail, { cause: thrown });
  }
}
