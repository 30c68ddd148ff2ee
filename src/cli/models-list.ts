import { statSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/schema.ts';
import { findArtefact, type FoundArtefact } from '../model/artefact.ts';
import { loadModelStore, type StoredVersion } from '../model/model-store.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { listPolicies } from '../model/policy.ts';
import { chooseEngine, type EngineChoice } from '../setup/engine-choice.ts';
import { toShortList } from '../short-list.ts';
import { toOneLine } from './one-line.ts';
import { toTable } from './text-table.ts';

const unknown = '-';

/** Prints a table of every version, and in which form this machine would serve it. */
export async function listVersions(config: Config): Promise<void> {
  const store = loadModelStore(config.models.dir);
  const choice = await chooseEngine({ wanted: config.model.engine, progress: 'lines', environment: process.env });
  const rows = [['model', 'format', 'input', 'engine', 'size', 'load ms', 'labels', 'policies', 'form']];
  for (const stored of [...store.values()].flat()) rows.push(await toRow(stored, choice, config));
  process.stdout.write(toTable(rows));
}

async function toRow(stored: StoredVersion, choice: EngineChoice, config: Config): Promise<string[]> {
  if (stored.kind === 'broken') {
    const blank = [unknown, unknown, choice.engine, unknown, unknown, unknown, unknown];
    return [`${stored.name}@${stored.version}`, ...blank, `broken: ${toOneLine(stored.reason)}`];
  }
  const { name, version, manifest } = stored.model;
  const { width, height } = manifest.input;
  const { bytes, missing } = measureFiles(stored.model);
  const { form, loadMs } =
    missing === undefined
      ? await toForm(stored.model, choice, config.model.artefactDir)
      : { form: `broken: ${missing}: is missing` };
  return [
    ...[`${name}@${version}`, manifest.format, `${String(width)}x${String(height)}`, choice.engine],
    ...[`${(bytes / 1e6).toFixed(2)} MB`, loadMs === undefined ? unknown : String(Math.round(loadMs))],
    ...[toShortList(manifest.output.labels, ','), toShortList(listPolicies(stored.model, config.policies), ','), form],
  ];
}

function measureFiles({ dir, manifest }: ModelVersion): { bytes: number; missing: string | undefined } {
  const files = Object.keys(manifest.files);
  const sizes = files.map((file) => statSync(path.join(dir, file), { throwIfNoEntry: false })?.size);
  return {
    bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
    missing: files.find((_, index) => sizes[index] === undefined),
  };
}

async function toForm(
  model: ModelVersion,
  choice: EngineChoice,
  artefactDir: string,
): Promise<{ form: string; loadMs?: number }> {
  const isSaved = model.manifest.format === 'tf-savedmodel';
  if (choice.engine === 'wasm') return { form: isSaved ? 'broken: a tf-savedmodel needs tensorflow' : 'op by op' };
  const found = await findArtefact(model, artefactDir, choice.libraryVersion);
  if (found.kind === 'compiled') return { form: 'compiled', loadMs: found.artefact.loadMs };
  return { form: `${toOwnForm(model)} (${toReason(found)})` };
}

/** How a version without an artefact is served. */
export function toOwnForm({ manifest }: ModelVersion): string {
  return manifest.format === 'tf-savedmodel' ? 'saved model' : 'op by op';
}

function toReason(found: Exclude<FoundArtefact, { kind: 'compiled' }>): string {
  if (found.kind === 'refused') return `not compiled: ${toOneLine(found.reason)}`;
  const [fault] = found.faults;
  return fault === undefined ? 'not compiled yet' : `its artefact is damaged: ${fault}`;
}
