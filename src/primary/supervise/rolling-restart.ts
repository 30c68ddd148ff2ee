import type { Config } from '../../config/schema.ts';
import { toMessage } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { hidePaths } from '../../public-text.ts';
import type { Supervisor } from './supervisor.ts';

interface RollingRestartOptions {
  readonly supervisor: Pick<Supervisor, 'slots' | 'replace'>;
  /** Reads the configuration again. @throws if it is invalid */
  readonly reloadConfig: () => Config;
  /** Called with the configuration that all workers now run with. */
  readonly onReloaded: (config: Config) => void;
  readonly log: Logger;
}

/** How the last rolling restart went, as `/health` shows it. */
export interface RollingRestartStatus {
  readonly state: 'running' | 'complete' | 'stopped';
  /** Why it stopped. */
  readonly reason?: string;
}

/** Whether the workers start with the configuration on disk, or with that of their slots. */
type RestartScope = 'configuration' | 'models';

/** Replaces the workers one at a time; when a candidate can't take over, the old workers stay. */
export class RollingRestart {
  readonly #options: RollingRestartOptions;
  #status: RollingRestartStatus | undefined;
  /** Scope of the rolling restart that follows the running one. */
  #next: RestartScope | undefined;

  constructor(options: RollingRestartOptions) {
    this.#options = options;
  }

  /** Undefined before the first rolling restart. */
  get status(): RollingRestartStatus | undefined {
    return this.#status;
  }

  /** Begins a rolling restart; while one runs, another one follows it. */
  request(scope: RestartScope): void {
    if (this.#status?.state === 'running') {
      if (this.#next !== 'configuration') this.#next = scope;
      return;
    }
    this.#status = { state: 'running' };
    void this.#run(scope).then((status) => {
      this.#status = status;
      const next = this.#next;
      this.#next = undefined;
      if (next !== undefined) this.request(next);
    });
  }

  async #run(scope: RestartScope): Promise<RollingRestartStatus> {
    const { supervisor, reloadConfig, onReloaded, log } = this.#options;
    let config: Config | undefined;
    try {
      if (scope === 'configuration') config = reloadConfig();
    } catch (error) {
      const what = 'configuration not reloaded, everything stays';
      log.error(`${what}: ${toMessage(error)}`);
      // The error names files and values of the configuration, which are for the operator alone.
      return { state: 'stopped', reason: `${what}: the log says why` };
    }
    log.info({ scope }, 'rolling restart begins');
    for (const slot of supervisor.slots) {
      const failure = await supervisor.replace(slot, config ?? slot.config, 'reload');
      if (failure === undefined) continue;
      log.error({ slot: slot.index, failure }, 'rolling restart stopped, the old workers stay');
      const shown = hidePaths(failure, (config ?? slot.config).models.dir);
      return { state: 'stopped', reason: `slot ${String(slot.index)}: ${shown}` };
    }
    if (config !== undefined) onReloaded(config);
    log.info('rolling restart complete');
    return { state: 'complete' };
  }
}

/** Applies a new configuration except for what a running service can't change. */
export function keepFixed(next: Config, { server, ops, workers }: Config): Config {
  return {
    ...next,
    server: { ...next.server, host: server.host, port: server.port, backlog: server.backlog },
    ops: { ...next.ops, host: ops.host, port: ops.port },
    workers,
  };
}
