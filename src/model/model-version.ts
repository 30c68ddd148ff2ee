import type { Manifest } from './manifest.ts';

/** One usable version of a model on disk. Sent to the model thread. */
export interface ModelVersion {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the folder with the manifest. */
  readonly dir: string;
  readonly manifest: Manifest;
}

/** The unique key of a version: `name@version`. */
export function toModelKey(model: { readonly name: string; readonly version: string }): string {
  return `${model.name}@${model.version}`;
}
