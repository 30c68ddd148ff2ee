import { toModelKey } from '../model/model-version.ts';
import type { ModelStatus } from './messages.ts';

type Identity = Pick<ModelStatus, 'name' | 'version' | 'isDefault'>;

/** Writes a version as requests and `check.models` do: by its bare name when it is the one that serves by it. */
export function toModelReference({ name, version, isDefault }: Identity): string {
  return isDefault ? name : toModelKey({ name, version });
}

/** Whether `name` or `name@version` stands for the version. */
export function isReferredTo(model: Identity, reference: string): boolean {
  return reference === toModelReference(model) || reference === toModelReference({ ...model, isDefault: false });
}
