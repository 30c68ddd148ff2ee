import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { toMessage } from '../errors.ts';
import { type Manifest, toManifest } from './manifest.ts';
import type { ModelStore, StoredVersion } from './model-store.ts';
import { type ModelVersion, toModelKey } from './model-version.ts';

/** Models as found on disk at the start, with current thresholds. */
export interface LiveStore {
  readonly store: () => ModelStore;
  /** Applies thresholds that changed on disk. */
  readonly refreshPolicies: () => Promise<void>;
}

/**
 * Creates the store of a process.
 * @param onFault receives one line for each version that keeps its thresholds because its manifest is broken
 */
export function createLiveStore(found: ModelStore, onFault: (fault: string) => void): LiveStore {
  let store = found;
  let refreshed = Promise.resolve();
  const refresh = async (): Promise<void> => {
    store = await toRefreshed(store, onFault);
  };
  return {
    store: () => store,
    // One at a time: an older read must not overwrite a newer one.
    refreshPolicies: () => (refreshed = refreshed.then(refresh)),
  };
}

/** Rereads the thresholds of known versions; a version whose manifest differs elsewhere stays unchanged. */
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
