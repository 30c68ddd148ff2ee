import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ExitError } from '../errors.ts';
import { letHeapGrow } from '../heap-flags.ts';
import { type DrainReason, type ToPrimary, type ToWorker, toWorkerMessage } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import { useNativeLibrary } from '../native-library.ts';
import type { Draining } from './closing.ts';
import { Connections } from './connections.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createOpsClient } from './ops-client.ts';
import type { PrimaryLink } from './primary-link.ts';
import { createPrimaryRouter } from './primary-messages.ts';
import { openWorkerLogs, type WorkerLogs } from './worker-logs.ts';
import { createWorkerService, type WorkerService } from './worker-service.ts';

const maxFlushMs = 1000;

/**
 * Ends this process without running anything of it: beside a model thread that is stuck in native code,
 * process.exit and terminate hang for ever.
 */
function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}

function send(message: ToPrimary, onSent?: () => void): void {
  process.send?.(message, undefined, {}, () => onSent?.());
}

function tellStrike(suspects: readonly string[]): void {
  send({ type: 'strike', suspects: [...suspects] });
}

function tellCleared(suspect: string): void {
  send({ type: 'cleared', suspect });
}

/** Starts the worker's role: waits for the primary's `start`, serves the connections it hands over, obeys it. */
export function startWorker(): void {
  letHeapGrow();
  // The terminal's Ctrl-C and pm2's signals reach the whole group; only the primary decides when a worker ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // Before node:cluster's own listener, which calls process.exit.
  process.prependListener('disconnect', killSelf);
  const opsClient = createOpsClient(send);
  let service: WorkerService | undefined;
  let opening: Promise<WorkerService | undefined> = Promise.resolve(undefined);
  const tellStuck = (reason: string, suspects: readonly string[]): void => {
    tellStrike(suspects);
    void (async () => {
      // The primary looks at the models of this worker as it forks the next: what has just failed must be among them.
      const started = await opening;
      if (started) send({ type: 'snapshot', snapshot: await started.takeSnapshot() });
      send({ type: 'stuck', reason });
    })();
  };
  const connections = new Connections(send);

  const route = createPrimaryRouter({
    open: (message) => {
      if (message.nativeLibrary !== undefined) useNativeLibrary(message.nativeLibrary);
      const logs = openWorkerLogs(message.config.log, message.slot);
      reportBugs(logs.log);
      opening = open(message, { ask: opsClient.ask, tellStuck, tellStrike, tellCleared }, logs);
      void opening.then((opened) => (service = opened));
    },
    service: () => service,
    opened: () => opening,
    connections,
    opsClient,
    drain: (because) => drain(service, connections, because),
    send,
  });

  process.on('message', (received: unknown, socket: Socket | undefined) => {
    const message = toWorkerMessage(received);
    if (message !== undefined) route(message, socket);
  });
  send({ type: 'hello' });
}

/** Finishes what is in flight and ends the process, with the last lines and the last snapshot told. */
async function drain(
  service: WorkerService | undefined,
  connections: Connections,
  because: DrainReason,
): Promise<void> {
  if (!service) {
    killSelf();
    return;
  }
  service.drain(because);
  await connections.drain(service.server, because);
  // A reader that stands still is not waited for any longer.
  await Promise.race([service.flush(), delay(maxFlushMs)]);
  send({ type: 'snapshot', snapshot: await service.takeSnapshot() }, killSelf);
}

/** Builds the rooms, loads what must be loaded first, and tells the primary that connections may come. */
async function open(
  start: Extract<ToWorker, { type: 'start' }>,
  primary: PrimaryLink,
  logs: WorkerLogs,
): Promise<WorkerService | undefined> {
  try {
    const service = createWorkerService(start, primary, logs);
    const beatSoon = startHeartbeat(start.config.supervisor.heartbeatMs, service.takeSnapshot, (snapshot) => {
      send({ type: 'snapshot', snapshot });
    });
    service.server.on('request', (_request, response) => response.once('close', beatSoon));
    // The log tells of each load that fails; the worker listens, and serves what it can.
    await service.warm().catch(() => undefined);
    send({ type: 'snapshot', snapshot: await service.takeSnapshot() });
    send({ type: 'listening' });
    // What the primary waits for where this worker takes over from another.
    beatSoon();
    return service;
  } catch (thrown) {
    if (!(thrown instanceof ExitError)) throw thrown;
    send({ type: 'unable', reason: thrown.message, exitCode: thrown.exitCode }, killSelf);
    return undefined;
  }
}

/** A bug ends the worker, visibly; the primary forks another. */
function reportBugs(log: Logger): void {
  const end = (thrown: unknown): void => {
    log.fatal({ err: thrown }, 'a bug; the worker ends');
    killSelf();
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
