// A service whose connections are handed out as its arguments say, with the models of a folder; tells its parent where it
// is, and when it serves.
import cluster from 'node:cluster';
import path from 'node:path';
import { toNativeEnvironment } from '../src/config/native-environment.ts';
import { configSchema } from '../src/config/schema.ts';
import { createAccessLog } from '../src/http/access-log.ts';
import { createLogger } from '../src/log.ts';
import { openLogStream } from '../src/log-stream.ts';
import { startPrimary } from '../src/primary/primary.ts';
import { chooseEngine } from '../src/setup/engine-choice.ts';

/** Who chooses the worker of a connection: this project's primary, or Node's cluster module in turns. */
export type Dispatching = 'dispatch' | 'round-robin';

/** What the parent is told first; the word `ready` follows once every worker serves. */
export interface Place {
  readonly port: number;
  readonly pids: readonly number[];
}

const workerCount = 2;
const [dispatching, modelsDir] = process.argv.slice(2) as [Dispatching, string];
const events = openLogStream(2);
const log = createLogger({ level: 'error', format: 'json' }, {}, events);
const config = configSchema.parse({
  server: { port: 0, host: '127.0.0.1' },
  ops: { port: 0, host: '127.0.0.1' },
  health: { minServingWorkers: workerCount },
  model: { load: 'eager', compile: false },
  models: { dir: modelsDir },
  // Whatever else the machine does, no worker is to be replaced.
  supervisor: { stuckMs: 9000, heartbeatTimeoutMs: 60_000 },
  log: { level: 'error', access: 'off' },
});

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
if (cluster.isWorker) await startTurnWorker();
else if (dispatching === 'round-robin') startTurns();
else await startDispatch();

async function startDispatch(): Promise<void> {
  const { engine } = await chooseEngine({ wanted: 'auto', progress: 'lines', environment: process.env });
  const primary = await startPrimary({
    config,
    engine,
    version: 'bench',
    workerCount,
    workerExec: path.join(import.meta.dirname, '..', 'src', 'main.ts'),
    log,
    events,
    reloadConfig: () => config,
  });
  tellPlace(primary.publicPort);
}

/** Workers that are alike in all but how they come by their connections. */
function startTurns(): void {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ args: [dispatching, modelsDir], serialization: 'advanced' });
  for (let slot = 0; slot < workerCount; slot += 1) {
    cluster.fork({ BENCH_SLOT: String(slot), ...toNativeEnvironment(process.env) });
  }
  let listening = 0;
  cluster.on('listening', (_worker, { port }) => {
    listening += 1;
    if (listening < workerCount) return;
    tellPlace(port);
    process.send?.('ready');
  });
}

function tellPlace(port: number): void {
  const workers = Object.values(cluster.workers ?? {}).map((worker) => worker?.process.pid ?? 0);
  const place: Place = { port, pids: [process.pid, ...workers] };
  process.send?.(place);
}

async function startTurnWorker(): Promise<void> {
  const { createWorkerService } = await import('../src/worker/worker-service.ts');
  const { startHeartbeat } = await import('../src/worker/heartbeat.ts');
  const { engine } = await chooseEngine({ wanted: 'auto', progress: 'lines', environment: process.env });
  const slot = Number(process.env['BENCH_SLOT']);
  const primary = {
    ask: () => new Promise<never>(() => undefined),
    tellStuck: () => process.exit(1),
    tellStrike: () => undefined,
    tellCleared: () => undefined,
  };
  const accessLog = createAccessLog(config.log, { slot, pid: process.pid }, events);
  const service = createWorkerService(
    { type: 'start', slot, engine, config, warm: [], hung: [], versions: {}, hasJournal: false },
    primary,
    { log, accessLog, droppedLines: {}, flush: () => accessLog.flush() },
  );
  await service.warm();
  const beatSoon = startHeartbeat(config.supervisor.heartbeatMs, service.takeSnapshot, (snapshot) => {
    process.send?.({ type: 'snapshot', snapshot });
  });
  service.server.on('request', (_request, response) => response.once('close', beatSoon));
  service.server.listen(0, '127.0.0.1', config.server.backlog);
}
