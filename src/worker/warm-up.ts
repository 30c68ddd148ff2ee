import type { InferenceService } from '../inference/inference-service.ts';
import type { HungModel } from '../ipc/messages.ts';
import type { LiveStore } from '../model/live-store.ts';
import { lookUpVersion, type ModelStore } from '../model/model-store.ts';
import type { ModelVersion } from '../model/model-version.ts';

/** Marks models whose loads hung in the previous worker as failed until their backoff is over. */
export function inheritHangs(
  { store, inference }: Pick<LiveStore, 'store'> & { readonly inference: InferenceService },
  hung: readonly HungModel[],
): void {
  for (const stored of [...store().values()].flat()) {
    const known = stored.kind === 'usable' ? findHung(hung, stored.model) : undefined;
    if (stored.kind === 'usable' && known) inference.inherit(stored.model, known);
  }
}

function findHung(hung: readonly HungModel[], { name, version }: ModelVersion): HungModel | undefined {
  return hung.find((model) => model.name === name && model.version === version);
}

/** Loads the named models; those that are no longer on disk are skipped. */
export async function warmModels(
  store: ModelStore,
  inference: InferenceService,
  references: readonly string[],
): Promise<void> {
  const found = [...new Set(references)].flatMap((reference) => lookUpVersion(store, reference) ?? []);
  const usable = found.flatMap((stored) => (stored.kind === 'usable' ? [stored.model] : []));
  await Promise.all(usable.map((model) => inference.load(model)));
}
