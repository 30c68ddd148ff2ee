import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { toEntryUrl } from '../entry-url.ts';
import { exitCodes, ExitError } from '../errors.ts';
import { EarlyWorker } from '../primary/supervise/early-worker.ts';
import { addConfigFlags } from './config-flags.ts';
import type { ServeFlags } from './service.ts';

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
  const workerExec = fileURLToPath(toEntryUrl('../main', import.meta.url));
  const earlyWorker = new EarlyWorker(workerExec);
  try {
    const { runService } = await import('./service.ts');
    await runService(flags, workerExec, earlyWorker);
  } catch (thrown) {
    earlyWorker.kill();
    throw thrown;
  }
}

/** In pm2's cluster mode the daemon is the cluster's primary and this process its worker: nothing would supervise it. */
function assertOwnPrimary(): void {
  if (!cluster.isWorker) return;
  // The channel to the foreign primary would keep this process alive.
  cluster.worker?.disconnect();
  const fix = "use exec_mode 'fork' with one instance, as ecosystem.config.js does; image-check forks its own workers";
  throw new ExitError(exitCodes.configuration, `started as a worker of another cluster (pm2's cluster mode?): ${fix}`);
}
