import type { CheckService } from '../check/types.ts';
import type { Config } from '../config/schema.ts';
import type { OpsAnswer, OpsPath } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import type { WorkerMetrics } from '../metrics/catalogue.ts';
import type { AccessLog } from './access-log.ts';
import type { ByteBudget } from './upload/byte-budget.ts';

/** What the HTTP room needs of its process. */
export interface HttpDependencies {
  readonly config: Config;
  readonly checkService: CheckService;
  readonly byteBudget: ByteBudget;
  /** Rejects, or stays pending, while the primary does not answer. */
  readonly askPrimary: (path: OpsPath) => Promise<OpsAnswer>;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
  readonly accessLog: AccessLog;
  readonly identity: { readonly slot: number; readonly pid: number };
  /** Why the worker is about to end: at a shutdown new images are refused, when it is replaced they are served. */
  readonly draining: () => 'shutdown' | 'replaced' | undefined;
  /** Whether a connection that could be kept is to be closed; each call that says so counts as one. */
  readonly shedConnection: () => boolean;
}
