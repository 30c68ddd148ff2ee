import type { CheckService } from '../check/types.ts';
import type { Config } from '../config/schema.ts';
import type { OpsAnswer, OpsPath } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import type { WorkerMetrics } from '../metrics/catalogue.ts';
import type { AccessLog } from './access-log.ts';
import type { ByteBudget } from './upload/byte-budget.ts';

/** Dependencies of the HTTP room. */
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
  /** Why the worker drains: at a shutdown new images are refused, when it is replaced they are still served. */
  readonly draining: () => 'shutdown' | 'replaced' | undefined;
  /** Whether to close a keep-alive connection after this answer; each true counts as one connection. */
  readonly shedConnection: () => boolean;
}
