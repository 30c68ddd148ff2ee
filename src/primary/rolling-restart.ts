import type { Config } from '../config/schema.ts';
import { toMessage } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Supervisor } from './supervisor.ts';

interface RollingRestartOptions {
  readonly supervisor: Supervisor;
  /** Reads the configuration anew. @throws whatever is wrong with it */
  readonly reloadConfig: () => Config;
  /** Takes note of the configuration that all workers run with now. */
  readonly onReloaded: (config: Config) => void;
  readonly log: Logger;
}

/** Replaces the workers one at a time; when a new one can't take over, the old ones stay. */
export class RollingRestart {
  readonly #options: RollingRestartOptions;
  #isRunning = false;
  #isAskedAgain = false;

  constructor(options: RollingRestartOptions) {
    this.#options = options;
  }

  /** Begins a rolling restart; while one runs, another follows it. */
  request(): void {
    if (this.#isRunning) {
      this.#isAskedAgain = true;
      return;
    }
    this.#isRunning = true;
    void this.#run().finally(() => {
      this.#isRunning = false;
      const isAskedAgain = this.#isAskedAgain;
      this.#isAskedAgain = false;
      if (isAskedAgain) this.request();
    });
  }

  async #run(): Promise<void> {
    const { supervisor, reloadConfig, onReloaded, log } = this.#options;
    let config: Config;
    try {
      config = reloadConfig();
    } catch (error) {
      log.error(`configuration not reloaded, everything stays: ${toMessage(error)}`);
      return;
    }
    log.info('rolling restart begins');
    for (const slot of supervisor.slots) {
      const failure = await supervisor.replace(slot, config, 'reload');
      if (failure === undefined) continue;
      log.error({ slot: slot.index, failure }, 'rolling restart stopped, the old workers stay');
      return;
    }
    onReloaded(config);
    log.info('rolling restart complete');
  }
}
