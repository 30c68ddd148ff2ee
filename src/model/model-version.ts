import type { Manifest } from './manifest.ts';

/** One version of a model on disk, fit to be loaded. Crosses to the model thread. */
export interface ModelVersion {
  readonly name: string;
  readonly version: string;
  /** Absolute folder of the manifest. */
  readonly dir: string;
  readonly manifest: Manifest;
}

/** Identifies a version among all: `name@version`. */
export function toModelKey(model: { readonly name: string; readonly version: string }): string {
  return `${model.name}@${model.version}`;
}
