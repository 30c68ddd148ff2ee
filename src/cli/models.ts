import type { Command } from 'commander';
import { addConfigFlags, type ConfigFlags } from './config-flags.ts';
import { loadFlaggedConfig } from './flagged-config.ts';
import { addModelsAddCommand } from './models-add.ts';
import { type CompileFlags, compileVersions } from './models-compile.ts';
import { listVersions } from './models-list.ts';
import { addModelsRemoveCommand } from './models-remove.ts';
import { verifyVersions } from './models-verify.ts';

/** Adds `models list`, `add`, `remove`, `compile` and `verify`. */
export function addModelsCommand(program: Command): void {
  const models = program.command('models').description('manage the models folder');
  addConfigFlags(
    models.command('list').description('list every version with format, engine, form, size and load time'),
  ).action(async (flags: ConfigFlags) => {
    await listVersions(loadFlaggedConfig(flags).config);
  });
  addModelsAddCommand(models);
  addModelsRemoveCommand(models);
  const compile = models
    .command('compile')
    .description('compile versions without a valid artefact; exit code 1: a model is broken')
    .argument('[name...]', 'name or name@version; default: all versions')
    .option('--force', 'recompile');
  addConfigFlags(compile).action(async (names: string[], flags: CompileFlags) => {
    process.exitCode = await compileVersions(loadFlaggedConfig(flags).config, names, flags.force ?? false);
  });
  addConfigFlags(
    models.command('verify').description('load every version and check its hashes and golden images'),
  ).action(async (flags: ConfigFlags) => {
    process.exitCode = await verifyVersions(loadFlaggedConfig(flags).config);
  });
}
