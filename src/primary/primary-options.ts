import type { Config } from '../config/schema.ts';
import type { EngineName } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import type { LogStream } from '../log-stream.ts';
import type { EarlyWorker } from './supervise/early-worker.ts';
import type { RestartLimits } from './supervise/restart-policy.ts';

/** What a primary is started with. */
export interface PrimaryOptions {
  readonly config: Config;
  readonly engine: EngineName;
  readonly version: string;
  readonly workerCount: number;
  readonly pidFile?: string;
  /** The script that a worker runs. */
  readonly workerExec: string;
  /** Node's own options for it; those of this process unless given. */
  readonly workerExecArgv?: readonly string[];
  /** A process for the first worker, where one is forked already. */
  readonly earlyWorker?: EarlyWorker;
  readonly log: Logger;
  /** Where the log writes. */
  readonly events: LogStream;
  /** Reads the configuration again at HUP. @throws if it is invalid; then the running one stays */
  readonly reloadConfig: () => Config;
  readonly restartLimits?: RestartLimits;
}
