import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/schema.ts';
import type { WorkerSnapshot } from '../../ipc/messages.ts';
import type { Logger } from '../../log.ts';
import type { WorkerHandle } from '../supervise/worker-handle.ts';
import { AddressCount } from './address-count.ts';
import { chooseLeastBusy, listEligible, type Load, toSurplus } from './balance.ts';
import { toMaxHeld } from './descriptors.ts';
import type { Refusals } from './refusals.ts';
import { type Held, Share } from './share.ts';
import { toSendingOrder } from './waiting-order.ts';

/** A worker as far as connections go. */
export type Recipient = Pick<WorkerHandle, 'slot' | 'pid' | 'stage' | 'isServing' | 'send' | 'kill'> & {
  readonly snapshot: Pick<WorkerSnapshot, 'inFlight'> | undefined;
};

/** Limits on the connections that the primary and its workers hold. */
interface DispatchLimits {
  /** Open connections, all workers together. */
  readonly maxConnections: number;
  /** Open connections of one client address; 0: no limit. */
  readonly maxConnectionsPerAddress: number;
  /** Connections that one process can hold with the file descriptors that it may open. */
  readonly maxHeld: number;
  /** Time that a connection waits for a worker that takes it. */
  readonly maxWaitMs: number;
  /** Time for a worker whose heartbeats arrive to answer a probe. */
  readonly maxProbeMs: number;
}

interface DispatcherOptions {
  readonly workers: () => readonly Recipient[];
  readonly limits: () => DispatchLimits;
  /** Whether the address belongs to a trusted proxy, which many clients share. */
  readonly isTrustedProxy: (address: string) => boolean;
  readonly refusals: Pick<Refusals, 'refuse' | 'report'>;
  readonly log: Logger;
}

/** Time for a worker to close connections and for its next snapshot to show it. */
const shedEveryMs = 1000;
/** Age of an unacknowledged connection at which the worker is sent a probe. */
const probeAfterMs = 1000;
/** After a pause of the primary, snapshots sent meanwhile arrive at once: elapsed time alone proves nothing. */
const minSnapshots = 3;
/** Time during which a worker that lost connections gets no others. */
const avoidMs = 1000;
const pollMs = 10;

/** Derives the limits from the configuration and the system. @param descriptorLimit files that a process may open */
export function toDispatchLimits({ server, supervisor }: Config, descriptorLimit: number): DispatchLimits {
  return {
    maxConnections: server.maxConnections,
    maxConnectionsPerAddress: server.maxConnectionsPerAddress,
    maxHeld: toMaxHeld(descriptorLimit),
    maxWaitMs: supervisor.bootTimeoutMs,
    maxProbeMs: supervisor.heartbeatTimeoutMs,
  };
}

/**
 * Hands each connection to the serving worker with the least to do, and keeps it until the worker has it.
 *
 * Node sends one handle at a time to a process and queues all later messages until the process acknowledges it. When a socket
 * is destroyed while its handle is in the pipe's write queue, that acknowledgement never comes, and nothing reaches the worker
 * any more. Therefore a socket that was sent to a living worker is destroyed only after the worker has acknowledged it.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #shares = new Map<Recipient, Share>();
  readonly #addresses = new AddressCount();
  #waiting = new Map<number, Held>();
  #lastId = 0;
  #lastProbeId = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Numbers of connections by their state. */
  get counts(): { open: number; unacknowledged: number; waiting: number } {
    const counts = { open: 0, unacknowledged: 0, waiting: this.#waiting.size };
    for (const { unacknowledged, open } of this.#shares.values()) {
      counts.open += open.size;
      counts.unacknowledged += unacknowledged.size;
    }
    return counts;
  }

  /** Takes a paused connection, or refuses it when there are too many. */
  dispatch(socket: Socket): void {
    // Node destroys the socket itself; without a listener the error would crash the primary.
    socket.on('error', () => undefined);
    const address = this.#toCounted(socket);
    const reason = this.#toRefusal(address);
    if (reason !== undefined) {
      this.#options.refusals.refuse(socket, reason);
      return;
    }
    this.#addresses.add(address);
    const nowMs = performance.now();
    const held = { id: ++this.#lastId, socket, address, arrivedAt: nowMs, sentAt: nowMs, wasLost: false };
    this.#waiting.set(held.id, held);
    this.flush();
  }

  /** Closes the primary's copy of a connection that the worker has taken; the client does not notice. */
  acknowledge(worker: Recipient, id: number): void {
    const share = this.#shares.get(worker);
    const held = share?.unacknowledged.get(id);
    if (share === undefined || held === undefined) return;
    share.unacknowledged.delete(id);
    share.open.set(id, held.address);
    held.socket.destroy();
    this.flush();
  }

  /** Forgets a connection that has ended in the worker. */
  forget(worker: Recipient, id: number): void {
    this.acknowledge(worker, id);
    const share = this.#shares.get(worker);
    this.#addresses.remove(share?.open.get(id));
    share?.close(id);
    this.flush();
  }

  /** Handles the answer to a probe: connections sent before it and still unacknowledged were lost, and are sent again. */
  resend(worker: Recipient, probeId: number): void {
    const share = this.#shares.get(worker);
    if (share?.probe?.id !== probeId) return;
    const lost = share.probe.covered.filter((held) => share.unacknowledged.get(held.id) === held);
    share.probe = undefined;
    if (lost.length === 0) return;
    for (const { id } of lost) share.unacknowledged.delete(id);
    share.avoidedUntilMs = performance.now() + avoidMs;
    this.#options.log.warn(
      { slot: worker.slot, pid: worker.pid, connections: lost.length },
      'connections did not reach the worker, which may be out of file descriptors: sent again',
    );
    this.#takeBack(lost);
  }

  /** Handles a new snapshot: a worker with clearly more load than another has to shed connections. */
  rebalance(worker: Recipient, nowMs: number): void {
    const share = this.#toShare(worker);
    this.#killUnreachable(worker, share, nowMs);
    const own = { inFlight: worker.snapshot?.inFlight ?? 0, connections: share.open.size };
    share.settle(own.inFlight, this.#lastId);
    const serving = this.#options.workers().filter(({ isServing }) => isServing);
    if (!serving.includes(worker) || nowMs - share.shedAt < shedEveryMs) return;
    const others = serving.filter((other) => other !== worker).map((other) => this.#toLoad(other));
    const connections = toSurplus(own, others);
    if (connections === 0) return;
    share.shedAt = nowMs;
    this.#options.log.debug(
      { slot: worker.slot, inFlight: own.inFlight, connections },
      'worker told to shed connections',
    );
    worker.send({ type: 'shed', connections });
  }

  /** Takes back the connections that a dead worker never acknowledged. */
  reclaim(worker: Recipient): void {
    const share = this.#shares.get(worker);
    this.#shares.delete(worker);
    if (share === undefined) return;
    for (const address of share.open.values()) this.#addresses.remove(address);
    const held = [...share.unacknowledged.values()];
    if (held.length === 0) return;
    share.unacknowledged.clear();
    this.#options.log.info({ slot: worker.slot, pid: worker.pid, connections: held.length }, 'connections taken back');
    this.#takeBack(held);
  }

  /** Sends waiting connections to workers that have room. */
  flush(): void {
    // A copy: a connection that cannot be sent goes back to the queue.
    const nowMs = performance.now();
    for (const held of toSendingOrder(this.#waiting.values(), nowMs)) {
      const worker = this.#choose(nowMs);
      if (worker === undefined) return;
      this.#waiting.delete(held.id);
      this.#give(worker, held);
    }
  }

  /** Refuses connections that waited too long, and probes workers whose acknowledgements are overdue. */
  expire(nowMs: number): void {
    const { maxWaitMs } = this.#options.limits();
    for (const held of this.#waiting.values()) {
      if (nowMs - held.arrivedAt > maxWaitMs) this.#refuse(held, 'no_worker');
    }
    for (const [worker, share] of this.#shares) {
      if (share.probe !== undefined || nowMs - (share.oldest?.sentAt ?? nowMs) <= probeAfterMs) continue;
      const covered = [...share.unacknowledged.values()];
      share.probe = { id: ++this.#lastProbeId, sentAt: nowMs, covered, snapshots: 0 };
      worker.send({ type: 'probe', id: share.probe.id });
    }
    this.#options.refusals.report(nowMs);
  }

  /** Resolves when no connection waits or no worker listens, at the latest after `limitMs`. */
  async handOver(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    const listens = ({ stage }: Recipient): boolean => stage === 'listening';
    while (this.#waiting.size > 0 && performance.now() < deadline && this.#options.workers().some(listens)) {
      await delay(pollMs);
    }
  }

  /** Refuses the waiting connections; called when the service stops. */
  closeWaiting(): void {
    for (const held of this.#waiting.values()) this.#refuse(held, 'draining');
  }

  #refuse(held: Held, reason: 'no_worker' | 'draining'): void {
    this.#waiting.delete(held.id);
    this.#addresses.remove(held.address);
    this.#options.refusals.refuse(held.socket, reason);
  }

  /** Puts lost connections back at the head of the queue. */
  #takeBack(held: readonly Held[]): void {
    for (const one of held) one.wasLost = true;
    this.#waiting = new Map([...held.map((one) => [one.id, one] as const), ...this.#waiting]);
    this.flush();
  }

  #give(worker: Recipient, held: Held): void {
    const share = this.#toShare(worker);
    share.givenLast = held.id;
    share.unacknowledged.set(held.id, held);
    held.sentAt = performance.now();
    worker.send({ type: 'connection', id: held.id }, held.socket, () => {
      // The channel broke while sending; after `reclaim` the connection is already elsewhere.
      if (share.unacknowledged.get(held.id) !== held) return;
      share.unacknowledged.delete(held.id);
      this.#waiting.set(held.id, held);
    });
  }

  /** The address to count the connection under; undefined without a limit, and for a client that has already left. */
  #toCounted({ remoteAddress }: Socket): string | undefined {
    const isLimited = this.#options.limits().maxConnectionsPerAddress > 0;
    return isLimited && remoteAddress !== undefined && !this.#options.isTrustedProxy(remoteAddress)
      ? remoteAddress
      : undefined;
  }

  #toRefusal(
    address: string | undefined,
  ): 'max_connections' | 'max_connections_per_address' | 'descriptors' | undefined {
    const { maxConnections, maxConnectionsPerAddress, maxHeld } = this.#options.limits();
    const { open, unacknowledged, waiting } = this.counts;
    if (open + unacknowledged + waiting >= maxConnections) return 'max_connections';
    if (address !== undefined && this.#addresses.get(address) >= maxConnectionsPerAddress) {
      return 'max_connections_per_address';
    }
    const eligible = listEligible(this.#options.workers());
    const areFull = eligible.length > 0 && eligible.every((worker) => this.#toShare(worker).size >= maxHeld);
    return areFull || unacknowledged + waiting >= maxHeld ? 'descriptors' : undefined;
  }

  #choose(nowMs: number): Recipient | undefined {
    const eligible = listEligible(this.#options.workers());
    return chooseLeastBusy(eligible, (worker) => this.#toShare(worker), this.#options.limits().maxHeld, nowMs);
  }

  /** Kills a worker that sends heartbeats but receives nothing, which no other deadline would notice. */
  #killUnreachable(worker: Recipient, share: Share, nowMs: number): void {
    const { probe, unacknowledged } = share;
    if (probe === undefined) return;
    probe.snapshots += 1;
    if (probe.snapshots < minSnapshots || nowMs - probe.sentAt <= this.#options.limits().maxProbeMs) return;
    share.probe = undefined;
    this.#options.log.error(
      { slot: worker.slot, workerPid: worker.pid, connections: unacknowledged.size },
      'worker sends heartbeats but cannot be reached: killed',
    );
    worker.kill('unreachable');
  }

  /** The last snapshot may predate the newest connections: after a burst the worker would look idle. */
  #toLoad(worker: Recipient): Load {
    const share = this.#toShare(worker);
    return { inFlight: Math.max(worker.snapshot?.inFlight ?? 0, share.busy), connections: share.open.size };
  }

  #toShare(worker: Recipient): Share {
    const known = this.#shares.get(worker);
    if (known !== undefined) return known;
    const share = new Share();
    this.#shares.set(worker, share);
    return share;
  }
}
