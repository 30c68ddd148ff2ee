import type { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import type { Config } from '../config/schema.ts';
import { exitCodes } from '../errors.ts';
import type { ToPrimary } from '../ipc/messages.ts';
import type { DroppedLines } from '../metrics/log-metrics.ts';
import { RetiredMetrics } from '../metrics/merge.ts';
import { createPrimaryMetrics, type PrimaryMetrics, setQuarantineGauge } from '../metrics/primary-metrics.ts';
import { createProcessMetrics } from '../metrics/process-metrics.ts';
import type { Dispatcher } from './dispatch/dispatcher.ts';
import { createPublicServer } from './dispatch/public-server.ts';
import { listen } from './listener.ts';
import { createOpsAnswerer, type OpsSources } from './ops/ops-answers.ts';
import { createOpsServer } from './ops/ops-server.ts';
import { removePidFile, writePidFile } from './pid-file.ts';
import type { PrimaryOptions } from './primary-options.ts';
import { listenToSignals } from './signals.ts';
import { Quarantine } from './supervise/quarantine.ts';
import { restartLimits } from './supervise/restart-policy.ts';
import { keepFixed, RollingRestart } from './supervise/rolling-restart.ts';
import { Supervisor } from './supervise/supervisor.ts';
import type { WorkerHandle } from './supervise/worker-handle.ts';
import { setUpWorkers } from './supervise/worker-process.ts';
import { createWorkerRouter } from './worker-messages.ts';

/** The parent process of the service: accepts connections, supervises workers, reports health. */
export interface Primary {
  readonly publicPort: number;
  readonly opsPort: number;
  /** Resolves to the exit code once no worker is left and the ports are free. */
  readonly ended: Promise<number>;
  /** Resolves when the service begins to stop. */
  readonly stopping: Promise<void>;
  /** The configuration that all workers run with. */
  readonly config: Config;
  /** Replaces the workers one at a time so that they read the models folder again; if that fails, the old ones stay. */
  reloadModels(): void;
  /** Makes the workers reload changed thresholds. */
  reloadPolicies(): void;
  /** Stops accepting connections, drains the workers, then ends. */
  drain(): void;
}

/**
 * Starts the primary; resolves when it listens on both ports and the first workers are forked.
 * @throws ExitError 75 when a port is in use, 78 when an address or the pid file can't be used.
 */
export async function startPrimary(options: PrimaryOptions): Promise<Primary> {
  const primary = new RunningPrimary(options);
  await primary.start();
  return primary;
}

/** Time for the kernel to end killed workers; then the primary ends without them. */
const killMs = 2000;
/** Time for workers to take the connections that arrived before a drain. */
const handOverMs = 1000;

class RunningPrimary implements Primary {
  readonly ended: Promise<number>;
  readonly stopping: Promise<void>;
  publicPort = 0;
  opsPort = 0;
  readonly #options: PrimaryOptions;
  readonly #supervisor: Supervisor;
  readonly #dispatcher: Dispatcher;
  readonly #quarantine: Quarantine;
  readonly #rollingRestart: RollingRestart;
  readonly #publicServer: Server;
  readonly #opsServer: HttpServer;
  readonly #retired = new RetiredMetrics();
  readonly #route: (message: ToPrimary, worker: WorkerHandle) => void;
  #config: Config;
  #isStopping = false;
  #isAnnounced = false;
  /** Exit code once no worker is left; undefined while running. */
  #exitCode: number | undefined;
  #resolveEnded: (exitCode: number) => void = () => undefined;
  #resolveStopping: () => void = () => undefined;

  constructor(options: PrimaryOptions) {
    const { config, log } = options;
    this.#options = options;
    this.#config = config;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.stopping = new Promise((resolve) => {
      this.#resolveStopping = resolve;
    });
    const metrics = createPrimaryMetrics(options.version, options.engine, this.#toDroppedLines());
    this.#supervisor = this.#createSupervisor((reason) => {
      metrics.restarts.inc({ reason });
    });
    ({ server: this.#publicServer, dispatcher: this.#dispatcher } = createPublicServer({
      // A candidate gets no connection before it takes over: a refused one is killed.
      workers: () => this.#supervisor.slots.flatMap(({ current }) => current ?? []),
      config: () => this.#config,
      workerCount: options.workerCount,
      registry: metrics.registry,
      log,
    }));
    this.#quarantine = new Quarantine(
      () => this.#config.supervisor.quarantineMs,
      (state) => {
        setQuarantineGauge(metrics, state);
        for (const worker of this.#supervisor.workers) worker.send({ type: 'quarantine', state });
      },
    );
    this.#rollingRestart = new RollingRestart({
      supervisor: this.#supervisor,
      reloadConfig: () => keepFixed(options.reloadConfig(), config),
      onReloaded: (reloaded) => {
        this.#config = reloaded;
      },
      log,
    });
    const answerOps = createOpsAnswerer(this.#toOpsSources(metrics), log);
    this.#opsServer = createOpsServer(answerOps, log);
    this.#route = createWorkerRouter({
      supervisor: this.#supervisor,
      dispatcher: this.#dispatcher,
      quarantine: this.#quarantine,
      answerOps,
      onProgress: () => {
        this.#noteProgress();
      },
    });
  }

  async start(): Promise<void> {
    const { config, pidFile, workerExec, workerExecArgv = process.execArgv, log } = this.#options;
    const { server: publicEndpoint, ops } = config;
    setUpWorkers(workerExec, workerExecArgv);
    try {
      this.publicPort = await listen(this.#publicServer, { option: 'server', ...publicEndpoint });
      this.opsPort = await listen(this.#opsServer, { option: 'ops', ...ops });
      if (pidFile !== undefined) writePidFile(pidFile);
    } catch (error) {
      this.#publicServer.close();
      this.#opsServer.close();
      throw error;
    }
    listenToSignals({
      onTerminate: () => {
        this.drain();
      },
      onForce: () => {
        log.warn('second signal: not waiting for what is in flight');
        this.#end(exitCodes.bug);
      },
      onHangup: () => {
        if (!this.#isStopping) this.#rollingRestart.request('configuration');
      },
    });
    this.#supervisor.start();
    log.info({ port: this.publicPort, opsPort: this.opsPort, workers: this.#options.workerCount }, 'listening');
  }

  get config(): Config {
    return this.#config;
  }

  reloadModels(): void {
    if (!this.#isStopping) this.#rollingRestart.request('models');
  }

  reloadPolicies(): void {
    this.#supervisor.tellPolicies();
  }

  drain(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#resolveStopping();
    this.#exitCode ??= exitCodes.drained;
    this.#options.log.info('draining');
    // One turn later: connections that the kernel had accepted before the signal are still served.
    setImmediate(() => void this.#drainWorkers());
  }

  async #drainWorkers(): Promise<void> {
    this.#publicServer.close();
    await this.#dispatcher.handOver(handOverMs);
    this.#supervisor.drain();
    this.#dispatcher.closeWaiting();
    this.#finishWhenAlone();
  }

  /** Ends without waiting for what is in flight. */
  #end(exitCode: number): void {
    this.#isStopping = true;
    this.#resolveStopping();
    this.#exitCode = exitCode;
    this.#supervisor.kill();
    this.#finishWhenAlone();
    setTimeout(() => {
      this.#finish(exitCode);
    }, killMs).unref();
  }

  #finishWhenAlone(): void {
    if (this.#exitCode === undefined || this.#supervisor.workers.length > 0) return;
    this.#finish(this.#exitCode);
  }

  #finish(exitCode: number): void {
    this.#supervisor.stop();
    this.#publicServer.close();
    this.#dispatcher.closeWaiting();
    this.#opsServer.close();
    this.#opsServer.closeAllConnections();
    if (this.#options.pidFile !== undefined) removePidFile(this.#options.pidFile);
    this.#resolveEnded(exitCode);
  }

  #createSupervisor(onRestart: ConstructorParameters<typeof Supervisor>[0]['listener']['onRestart']): Supervisor {
    const { workerCount, engine, config, earlyWorker, log } = this.#options;
    return new Supervisor({
      workerCount,
      engine,
      config,
      earlyWorker,
      log,
      restartLimits: this.#options.restartLimits ?? restartLimits,
      listener: {
        onMessage: (worker, message) => {
          this.#route(message, worker);
        },
        onReap: (worker) => {
          this.#retired.add(worker.snapshot?.metrics ?? []);
          this.#dispatcher.reclaim(worker);
          this.#quarantine.recordStrike(worker.suspects, performance.now());
          if (this.#isStopping) this.#dispatcher.closeWaiting();
          this.#finishWhenAlone();
        },
        onRestart,
        onAllDown: (exitCode, reason) => {
          log.fatal({ exitCode }, reason);
          this.#end(exitCode);
        },
        onTick: (nowMs) => {
          this.#dispatcher.expire(nowMs);
          this.#quarantine.expire(nowMs);
          this.#dispatcher.flush();
        },
      },
    });
  }

  #toOpsSources(metrics: PrimaryMetrics): OpsSources {
    return {
      version: this.#options.version,
      slots: this.#supervisor.slots,
      metrics,
      processMetrics: createProcessMetrics('primary'),
      retired: () => this.#retired.families,
      minServingWorkers: () => this.#config.health.minServingWorkers,
      isStopping: () => this.#isStopping,
      isFailing: () => this.#supervisor.deathStreak.isFailing(performance.now()),
      rollingRestart: () => this.#rollingRestart.status,
    };
  }

  #toDroppedLines(): DroppedLines {
    return {
      events: () => this.#options.events.droppedLines,
      native: () => this.#supervisor.nativeOutput.droppedLines,
    };
  }

  /** Hands out waiting connections, and reports ready to pm2 once enough workers serve. */
  #noteProgress(): void {
    this.#dispatcher.flush();
    const serving = this.#supervisor.slots.filter(({ current }) => current?.isServing === true);
    if (this.#isAnnounced || serving.length < this.#config.health.minServingWorkers) return;
    this.#isAnnounced = true;
    this.#options.log.info('serving');
    // pm2's wait_ready expects this bare string; without a parent process there is no channel.
    process.send?.('ready', undefined, undefined, () => undefined);
  }
}
