import { readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/schema.ts';
import { exitCodes, ExitError, toMessage } from '../errors.ts';
import { loadModelStore, lookUpVersion, type ModelStore, type StoredVersion, toVersion } from '../model/model-store.ts';
import { addConfigFlags, type ConfigFlags } from './config-flags.ts';
import { loadFlaggedConfig } from './flagged-config.ts';

interface RemoveFlags extends ConfigFlags {
  readonly force?: boolean;
}

/** Adds `models remove`. */
export function addModelsRemoveCommand(models: Command): void {
  const command = models
    .command('remove')
    .description('delete a version, or all versions of a model, without confirmation; a running service picks it up')
    .argument('<name[@version]>', 'without a version: all versions')
    .option('--force', 'even if check.models serves it by default');
  addConfigFlags(command).action((reference: string, flags: RemoveFlags) => {
    removeVersions(loadFlaggedConfig(flags).config, reference, flags.force ?? false);
  });
}

/** @throws ExitError 78 if the version does not exist, is a default, or can't be removed */
function removeVersions(config: Config, reference: string, isForced: boolean): void {
  const store = loadModelStore(config.models.dir);
  const [name = ''] = reference.split('@', 1);
  const chosen = chooseVersions(store, name, reference);
  const served = config.check.models.find((each) => {
    const found = lookUpVersion(store, each);
    return found !== undefined && chosen.includes(found);
  });
  if (served !== undefined && !isForced) {
    throw new ExitError(
      exitCodes.configuration,
      `${reference} is served as ${served} of check.models; --force removes it anyway`,
    );
  }
  for (const stored of chosen) removeVersion(config, name, toVersion(stored));
}

function chooseVersions(store: ModelStore, name: string, reference: string): readonly StoredVersion[] {
  const versions = store.get(name) ?? [];
  const chosen =
    reference === name ? versions : versions.filter((stored) => `${name}@${toVersion(stored)}` === reference);
  if (chosen.length > 0) return chosen;
  const known = versions.map((stored) => `${name}@${toVersion(stored)}`);
  const there = (known.length > 0 ? known : [...store.keys()]).join(', ');
  throw new ExitError(exitCodes.configuration, `no model ${reference}; there are: ${there}`);
}

/** Renames before deleting, so that no reader sees half a version. */
function removeVersion({ models, model }: Config, name: string, version: string): void {
  const folder = path.join(path.resolve(models.dir), name);
  const dir = path.join(folder, version);
  // A name that is not a version to the models folder.
  const aside = path.join(folder, `.${version}.${String(process.pid)}.removed`);
  try {
    renameSync(dir, aside);
    rmSync(aside, { recursive: true, force: true });
    for (const artefact of listArtefacts(model.artefactDir, `${name}-${version}-`)) {
      rmSync(artefact, { recursive: true, force: true });
    }
  } catch (thrown) {
    throw new ExitError(exitCodes.configuration, `${dir}: can't be removed: ${toMessage(thrown)}`, { cause: thrown });
  }
  process.stdout.write(`removed ${name}@${version}: ${dir}\n`);
  try {
    rmdirSync(folder);
  } catch {
    // Other versions remain.
  }
}

function listArtefacts(cacheDir: string, prefix: string): string[] {
  try {
    const names = readdirSync(cacheDir).filter((each) => each.startsWith(prefix));
    return names
      .filter((each) => /^[0-9a-f]{16}$/.test(each.slice(prefix.length)))
      .map((each) => path.join(cacheDir, each));
  } catch {
    return [];
  }
}
