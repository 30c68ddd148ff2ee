import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { countCpus } from '../config/cpu-count.ts';
import { toEntryUrl } from '../entry-url.ts';
import { ExitError, exitCodes } from '../errors.ts';
import { createLogger, type Logger } from '../log.ts';
import { assertDefaults, loadModelStore } from '../model/model-store.ts';
import { type ModelsLook, readModelsLook, startModelWatch } from '../model/model-watch.ts';
import type { Primary } from '../primary/primary.ts';
import { chooseEngine } from '../setup/engine-choice.ts';
import { addConfigFlags, type ConfigFlags, loadFlaggedConfig } from './config-flags.ts';
import { loadVersion } from './project.ts';

interface ServeFlags extends ConfigFlags {
  readonly pidFile?: string;
}

/** Adds `serve`, the default command: the primary's role. */
export function addServeCommand(program: Command): void {
  const command = program.command('serve', { isDefault: true }).description('serve uploads (the default)');
  addConfigFlags(command)
    .option('--port <number>', 'port for uploads (server.port)')
    .option('--ops-port <number>', 'port for health and metrics (ops.port)')
    .option('--workers <number>', 'worker processes (workers)')
    .option('--pid-file <file>', "where to write the primary's process id")
    .action(serve);
}

async function serve(flags: ServeFlags): Promise<void> {
  assertOwnPrimary();
  const { config } = loadFlaggedConfig(flags);
  assertDefaults(loadModelStore(config.models.dir), config.check.models);
  const log = createLogger(config.log, { worker: 'primary', pid: process.pid });
  const progress = process.stderr.isTTY ? 'bar' : 'lines';
  const choice = await chooseEngine({ wanted: config.model.engine, progress, environment: process.env });
  if (choice.engine === 'wasm') log.warn({ engine: 'wasm' }, `serving on the wasm engine: ${choice.why}`);
  const known = await readModelsLook(config.models.dir);
  const { startPrimary } = await import('../primary/primary.ts');
  const primary = await startPrimary({
    config,
    reloadConfig: () => loadFlaggedConfig(flags).config,
    engine: choice.engine,
    version: loadVersion(),
    workerCount: config.workers === 'auto' ? countCpus() : config.workers,
    workerExec: fileURLToPath(toEntryUrl('../main', import.meta.url)),
    log,
    ...(flags.pidFile !== undefined && { pidFile: flags.pidFile }),
  });
  const stopWatch = watchModels(primary, known, log);
  void primary.draining.then(stopWatch);
  process.exit(await primary.ended);
}

/** Lets the workers take up what changes in the models folder, as long as the configuration wants it. */
function watchModels(primary: Primary, known: ModelsLook | undefined, log: Logger): () => void {
  return startModelWatch({
    dir: () => (primary.config.models.watch ? primary.config.models.dir : undefined),
    known,
    onVersions: () => {
      log.info('models have changed on disk');
      primary.reloadModels();
    },
    onPolicies: () => {
      log.info('thresholds have changed on disk');
      primary.reloadPolicies();
    },
  });
}

/** In pm2's cluster mode its daemon is the cluster's primary and this process a worker of its: nobody would supervise. */
function assertOwnPrimary(): void {
  if (!cluster.isWorker) return;
  // The channel to the foreign primary would keep this process alive.
  cluster.worker?.disconnect();
  const mend = "use exec_mode 'fork' with one instance, as ecosystem.config.js does; image-check forks its own workers";
  throw new ExitError(exitCodes.configuration, `started as a worker of another cluster (pm2's cluster mode?): ${mend}`);
}
