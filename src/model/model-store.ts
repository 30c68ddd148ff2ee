import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { exitCodes, ExitError, ServiceError, toMessage } from '../errors.ts';
import { toManifest } from './manifest.ts';
import type { ModelVersion } from './model-version.ts';

/** A version as found on disk: usable, or broken with the reason. */
export type StoredVersion =
  | { readonly kind: 'usable'; readonly model: ModelVersion }
  | { readonly kind: 'broken'; readonly name: string; readonly version: string; readonly reason: string };

/** The models folder as read: versions by name, the default version first, then the others from the highest. */
export type ModelStore = ReadonlyMap<string, readonly StoredVersion[]>;

/** Default versions by model name, where the default is not the highest version. */
export type PreferredVersions = Readonly<Record<string, string>>;

/**
 * Reads every manifest below `dir`.
 * @throws {@link ExitError} 78 if the folder can't be read or has no model
 */
export function loadModelStore(dir: string, preferred: PreferredVersions = {}): ModelStore {
  const root = path.resolve(dir);
  const store = new Map<string, StoredVersion[]>();
  for (const name of listFolders(root)) {
    const versions = listFolders(path.join(root, name))
      .filter((version) => /^\d+$/.test(version))
      .sort((a, b) => Number(b === preferred[name]) - Number(a === preferred[name]) || Number(b) - Number(a))
      .map((version) => loadVersion(root, name, version));
    if (versions.length > 0) store.set(name, versions);
  }
  if (store.size === 0) throw new ExitError(exitCodes.configuration, `no model in ${root} (models.dir)`);
  return store;
}

/** Looks up `name` or `name@version`; a bare name is the default version. */
export function lookUpVersion(store: ModelStore, reference: string): StoredVersion | undefined {
  const [name = '', version] = reference.split('@', 2);
  return store.get(name)?.find((stored) => version === undefined || toVersion(stored) === version);
}

/**
 * Finds `name` or `name@version`.
 * @throws {@link ServiceError} ERR_MODEL_UNKNOWN
 */
export function findVersion(store: ModelStore, reference: string): StoredVersion {
  const found = lookUpVersion(store, reference);
  if (found) return found;
  const [name = '', version] = reference.split('@', 2);
  const known = [...store.keys()].join(', ');
  const what = store.has(name)
    ? `model ${name} has no version ${String(version)}`
    : `no model ${name}; there are: ${known}`;
  throw new ServiceError('ERR_MODEL_UNKNOWN', what);
}

/**
 * Checks that each of `check.models` exists; a broken one may still be repaired while the service runs.
 * @throws {@link ExitError} 78
 */
export function assertDefaults(store: ModelStore, references: readonly string[]): void {
  for (const reference of references) {
    try {
      findVersion(store, reference);
    } catch (thrown) {
      const detail = thrown instanceof ServiceError ? thrown.detail : toMessage(thrown);
      throw new ExitError(exitCodes.configuration, `${detail} (check.models)`);
    }
  }
}

/** The version of a usable or broken model. */
export function toVersion(stored: StoredVersion): string {
  return stored.kind === 'usable' ? stored.model.version : stored.version;
}

function loadVersion(root: string, name: string, version: string): StoredVersion {
  const dir = path.join(root, name, version);
  try {
    const manifest = toManifest(readFileSync(path.join(dir, 'manifest.json'), 'utf8'));
    return { kind: 'usable', model: { name, version, dir, manifest } };
  } catch (thrown) {
    return { kind: 'broken', name, version, reason: `manifest.json: ${toMessage(thrown)}` };
  }
}

function listFolders(dir: string): string[] {
  try {
    const entries = readdirSync(dir, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map((entry) => entry.name);
  } catch (thrown) {
    throw new ExitError(exitCodes.configuration, `models folder can't be read: ${toMessage(thrown)} (models.dir)`, {
      cause: thrown,
    });
  }
}
