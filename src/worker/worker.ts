import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ExitError } from '../errors.ts';
import { letHeapGrow } from '../heap-flags.ts';
import { type DrainReason, type ToPrimary, type ToWorker, toWorkerMessage } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import { useNativeLibrary } from '../native-library.ts';
import { Connections } from './connections.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createOpsClient } from './ops-client.ts';
import type { PrimaryLink } from './primary-link.ts';
import { createPrimaryRouter } from './primary-messages.ts';
import { openWorkerLogs, type WorkerLogs } from './worker-logs.ts';
import { createWorkerService, type WorkerService } from './worker-service.ts';

const maxFlushMs = 1000;

/**
 * Ends this process at once: beside a model thread that hangs in native code, process.exit and terminate hang
 * indefinitely.
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

/** Starts the worker's role: waits for the primary's `start`, then serves the connections that it hands over. */
export function startWorker(): void {
  letHeapGrow();
  // A terminal's Ctrl-C and pm2's signals reach the whole group; only the primary decides when a worker ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // Before node:cluster's own listener, which calls process.exit.
  process.prependListener('disconnect', killSelf);
  const opsClient = createOpsClient(send);
  let service: WorkerService | undefined;
  let opening: Promise<WorkerService | undefined> = Promise.resolve(undefined);
  const tellStuck = (reason: string, suspects: readonly string[]): void => {
    tellStrike(suspects);
    void (async () => {
      // The next worker inherits the models of this snapshot: what has just failed must be in it.
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

/** Finishes what is in flight, writes the logs, sends the last snapshot and ends the process. */
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
  // A log reader that has stopped reading must not hold up the end.
  await Promise.race([service.flush(), delay(maxFlushMs)]);
  send({ type: 'snapshot', snapshot: await service.takeSnapshot() }, killSelf);
}

/** Builds the service, loads what must be loaded first, and reports that it listens. */
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
    // Each failed load is in the log; the worker listens and serves what it can.
    await service.warm().catch(() => undefined);
    send({ type: 'snapshot', snapshot: await service.takeSnapshot() });
    send({ type: 'listening' });
    // The primary waits for this snapshot when this worker is a candidate.
    beatSoon();
    return service;
  } catch (thrown) {
    if (!(thrown instanceof ExitError)) throw thrown;
    send({ type: 'unable', reason: thrown.message, exitCode: thrown.exitCode }, killSelf);
    return undefined;
  }
}

/** Logs a bug and ends the worker; the primary respawns it. */
function reportBugs(log: Logger): void {
  const end = (thrown: unknown): void => {
    log.fatal({ err: thrown }, 'a bug; the worker ends');
    killSelf();
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
