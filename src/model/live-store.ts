import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { toMessage } from '../errors.ts';
import { type Manifest, toManifest } from './manifest.ts';
import type { ModelStore, StoredVersion } from './model-store.ts';
import { type ModelVersion, toModelKey } from './model-version.ts';

/** Models as they were found on disk once, with the thresholds that hold now. */
export interface LiveStore {
  readonly store: () => ModelStore;
  /** Takes over thresholds that have changed on disk. */
  readonly refreshPolicies: () => Promise<void>;
}

/**
 * Creates the store of a process.
 * @param onFault is told in one line which version keeps its thresholds because its manifest is broken now
 */
export function createLiveStore(found: ModelStore, onFault: (fault: string) => void): LiveStore {
  let store = found;
  let refreshed = Promise.resolve();
  const refresh = async (): Promise<void> => {
    store = await toRefreshed(store, onFault);
  };
  return {
    store: () => store,
    // In turn: what was read first must not come last.
    refreshPolicies: () => (refreshed = refreshed.then(refresh)),
  };
}

/** Reads the thresholds of known versions anew; a version whose manifest differs in anything else stays as it is. */
async function toRefreshed(store: ModelStore, onFault: (fault: string) => void): Promise<ModelStore> {
  const refreshed = new Map<string, readonly StoredVersion[]>();
  const refresh = async (stored: StoredVersion): Promise<StoredVersion> => {
    if (stored.kind === 'broken') return stored;
    try {
      return { kind: 'usable', model: await refreshVersion(stored.model) };
    } catch (thrown) {
      onFault(`model ${toModelKey(stored.model)} keeps its thresholds: manifest.json: ${toMessage(thrown)}`);
      return stored;
    }
  };
  for (const [name, versions] of store) refreshed.set(name, await Promise.all(versions.map(refresh)));
  return refreshed;
}

async function refreshVersion(model: ModelVersion): Promise<ModelVersion> {
  const manifest = toManifest(await readFile(path.join(model.dir, 'manifest.json'), 'utf8'));
  return isDeepStrictEqual(withoutPolicies(manifest), withoutPolicies(model.manifest)) ? { ...model, manifest } : model;
}

function withoutPolicies(manifest: Manifest): Manifest {
  return { ...manifest, policy: {}, policies: {} };
}
