import { type Checker, createChecker } from '../check/checker.ts';
import type { InferenceService } from '../inference/inference-service.ts';
import { createInFlightJournal } from '../ipc/in-flight-journal.ts';
import type { HungModel, QuarantineState, ToWorker } from '../ipc/messages.ts';
import { journalDescriptor } from '../ipc/worker-descriptors.ts';
import type { Logger } from '../log.ts';
import type { WorkerMetrics } from '../metrics/catalogue.ts';
import { lookUpVersion, type ModelStore } from '../model/model-store.ts';
import { toModelKey } from '../model/model-version.ts';
import type { PrimaryLink } from './primary-link.ts';

/** The product as a part of a supervised worker. */
interface Product extends Checker {
  /** Replaces what this worker knows of quarantined images. */
  readonly updateQuarantine: (state: QuarantineState) => void;
  /** Whether native code hangs, so that another worker has to take over. */
  readonly isStuck: () => boolean;
}

/** Creates the product of a worker, which tells the primary when it hangs. */
export function createProduct(
  { engine, config, hung, versions, hasJournal }: Extract<ToWorker, { type: 'start' }>,
  primary: PrimaryLink,
  metrics: WorkerMetrics,
  log: Logger,
): Product {
  let isStuck = false;
  const checker = createChecker({
    config,
    engine,
    metrics,
    log,
    versions,
    quarantine: {
      journal: hasJournal ? createInFlightJournal(journalDescriptor) : undefined,
      onStrike: primary.tellStrike,
      onCleared: primary.tellCleared,
    },
    onStuck: (reason, suspects) => {
      isStuck = true;
      primary.tellStuck(reason, suspects);
    },
  });
  inheritHangs(checker, hung);
  return {
    ...checker,
    updateQuarantine: (state) => {
      checker.quarantine.update(state);
    },
    isStuck: () => isStuck,
  };
}

/** Models whose loads hung in the worker before are known as failed here, until their back-off is over. */
function inheritHangs({ store, inference }: Checker, hung: readonly HungModel[]): void {
  for (const stored of [...store().values()].flat()) {
    const known = stored.kind === 'usable' ? hung.find(({ key }) => key === toModelKey(stored.model)) : undefined;
    if (stored.kind === 'usable' && known) inference.inherit(stored.model, known);
  }
}

/** A model that the worker before had and that is not on disk any more is left out. */
export async function warmModels(
  store: ModelStore,
  inference: InferenceService,
  references: readonly string[],
): Promise<void> {
  const found = [...new Set(references)].flatMap((reference) => lookUpVersion(store, reference) ?? []);
  const usable = found.flatMap((stored) => (stored.kind === 'usable' ? [stored.model] : []));
  await Promise.all(usable.map((model) => inference.load(model)));
}
