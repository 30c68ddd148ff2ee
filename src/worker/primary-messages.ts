import type { Socket } from 'node:net';
import type { DrainReason, ToPrimary, ToWorker } from '../ipc/messages.ts';
import { createRouter } from '../ipc/router.ts';
import type { Connections } from './connections.ts';
import type { OpsClient } from './ops-client.ts';
import type { WorkerService } from './worker-service.ts';

/** What acts on the messages of the primary. */
export interface Receivers {
  /** Builds the service; called once. */
  readonly open: (start: Extract<ToWorker, { type: 'start' }>) => void;
  /** The service; undefined while it is built. */
  readonly service: () => Pick<WorkerService, 'server' | 'shed'> | undefined;
  /** Resolves once the service is built, with undefined where that failed. */
  readonly opened: () => Promise<Pick<WorkerService, 'updateQuarantine' | 'refreshPolicies'> | undefined>;
  readonly connections: Pick<Connections, 'serve'>;
  readonly opsClient: Pick<OpsClient, 'receive'>;
  readonly drain: (because: DrainReason) => Promise<void>;
  readonly send: (message: ToPrimary) => void;
}

/** Creates the router of what the primary sends to a worker; a client's socket travels with `connection`. */
export function createPrimaryRouter(receivers: Receivers): (message: ToWorker, socket: Socket | undefined) => void {
  const { open, service, opened, connections, opsClient, drain, send } = receivers;
  return createRouter<ToWorker, Socket | undefined>({
    start: open,
    quarantine: ({ state }) => {
      void opened().then((built) => {
        built?.updateQuarantine(state);
      });
    },
    policies: () => {
      void opened().then((built) => built?.refreshPolicies());
    },
    connection: ({ id }, socket) => {
      connections.serve(id, socket, service()?.server);
    },
    probe: ({ id }) => {
      send({ type: 'probed', id });
    },
    answer: ({ id, answer }) => {
      opsClient.receive(id, answer);
    },
    shed: ({ connections: count }) => {
      service()?.shed(count);
    },
    drain: ({ because }) => {
      void drain(because);
    },
  });
}
