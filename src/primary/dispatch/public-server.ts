import { createServer, type Server } from 'node:net';
import type { Registry } from 'prom-client';
import type { Config } from '../../config/schema.ts';
import { createProxyTrust } from '../../config/trusted-proxies.ts';
import type { Logger } from '../../log.ts';
import { createConnectionMetrics } from '../../metrics/connection-metrics.ts';
import { readDescriptorLimit, toMaxHeld } from './descriptors.ts';
import { Dispatcher, type Recipient, toDispatchLimits } from './dispatcher.ts';
import { Refusals } from './refusals.ts';

interface PublicServerOptions {
  /** The workers that may get connections. */
  readonly workers: () => readonly Recipient[];
  readonly config: () => Config;
  readonly workerCount: number;
  /** Registry of the connection metrics. */
  readonly registry: Registry;
  readonly log: Logger;
}

/** Creates the server that accepts the clients' connections, and the dispatcher that hands them to workers. */
export function createPublicServer({ workers, config, workerCount, registry, log }: PublicServerOptions): {
  server: Server;
  dispatcher: Dispatcher;
} {
  const descriptorLimit = readDescriptorLimit();
  const { maxConnections } = config().server;
  const maxOpen = workerCount * toMaxHeld(descriptorLimit);
  if (maxOpen < maxConnections) {
    log.warn(
      { descriptorLimit, maxConnections, maxOpen },
      'ulimit -n allows fewer connections than server.maxConnections',
    );
  }
  const count = createConnectionMetrics(registry, () => dispatcher.counts);
  const refusals = new Refusals(log, count);
  const dispatcher = new Dispatcher({
    workers,
    limits: () => toDispatchLimits(config(), descriptorLimit),
    isTrustedProxy: (address) => createProxyTrust(config().server.trustProxy)(address, 0),
    refusals,
    log,
  });
  // Paused: a byte read here would be lost to the worker.
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    dispatcher.dispatch(socket);
  });
  server.on('error', () => {
    // Before it listens, an error is the caller's.
    if (server.listening) refusals.note('accept');
  });
  return { server, dispatcher };
}
