import type { Socket } from 'node:net';
import type { Config } from '../config/schema.ts';
import type { WorkerSnapshot } from '../ipc/messages.ts';
import type { Logger } from '../log.ts';
import { type Load, toSurplus } from './balance.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** A worker as far as connections go. */
export type Recipient = Pick<WorkerHandle, 'slot' | 'pid' | 'stage' | 'isServing' | 'send'> & {
  readonly snapshot: Pick<WorkerSnapshot, 'inFlight'> | undefined;
};

/** Bounds of the connections that the primary holds. */
interface DispatchLimits {
  /** Open connections, all workers together. */
  readonly maxConnections: number;
  /** Time that a connection waits for a worker that serves. */
  readonly maxWaitMs: number;
  /** Time that a living worker may take to acknowledge a connection. */
  readonly maxAckMs: number;
}

interface Held {
  readonly id: number;
  readonly socket: Socket;
  sinceMs: number;
}

interface Share {
  /** Sent but not acknowledged: the primary still has the socket and can send it to another worker. */
  readonly unacknowledged: Map<number, Held>;
  readonly open: Set<number>;
  /** Open ones without a request in flight, at the last snapshot; those that came since the one before are left out. */
  idle: number;
  /** The newest connection of all when the last snapshot came. */
  newestSeen: number;
  shedAtMs: number;
  givenLast: number;
}

/** An idle connection may bring a request at any time, most don't just now. */
const idleWeight = 0.25;
/** Time for a worker to close connections and for its next snapshot to show it. */
const shedEveryMs = 1000;

/** The bounds that a configuration sets. */
export function toDispatchLimits({ server, supervisor }: Config): DispatchLimits {
  return {
    maxConnections: server.maxConnections,
    maxWaitMs: supervisor.bootTimeoutMs,
    // Above the heartbeat's: a frozen worker is killed first, and its connections go to another.
    maxAckMs: 2 * supervisor.heartbeatTimeoutMs,
  };
}

/** Hands each connection to the serving worker with the least to do, and keeps it until the worker has it. */
export class Dispatcher {
  readonly #workers: () => readonly Recipient[];
  readonly #limits: () => DispatchLimits;
  readonly #log: Logger;
  readonly #shares = new Map<Recipient, Share>();
  readonly #waiting = new Map<number, Held>();
  #lastId = 0;

  constructor(options: { workers: () => readonly Recipient[]; limits: () => DispatchLimits; log: Logger }) {
    this.#workers = options.workers;
    this.#limits = options.limits;
    this.#log = options.log;
  }

  /** Connections that are open, handed over or waiting. */
  get size(): number {
    let size = this.#waiting.size;
    for (const { unacknowledged, open } of this.#shares.values()) size += unacknowledged.size + open.size;
    return size;
  }

  /** Takes a paused connection; closes it when there are too many. */
  dispatch(socket: Socket): void {
    if (this.size >= this.#limits().maxConnections) {
      socket.destroy();
      return;
    }
    const held = { id: ++this.#lastId, socket, sinceMs: performance.now() };
    socket.on('error', () => {
      socket.destroy();
    });
    this.#give(held);
  }

  /** The worker has the connection: the copy here is closed, which the client does not see. */
  acknowledge(worker: Recipient, id: number): void {
    const share = this.#shares.get(worker);
    const held = share?.unacknowledged.get(id);
    if (share === undefined || held === undefined) return;
    share.unacknowledged.delete(id);
    share.open.add(id);
    held.socket.destroy();
  }

  /** The connection has ended in the worker. */
  forget(worker: Recipient, id: number): void {
    this.acknowledge(worker, id);
    const share = this.#shares.get(worker);
    if (share?.open.delete(id) === true && id <= share.newestSeen) share.idle = Math.max(0, share.idle - 1);
  }

  /** Takes note of a worker's new snapshot; one with clearly more in flight than another has to shed connections. */
  rebalance(worker: Recipient, nowMs: number): void {
    const share = this.#toShare(worker);
    const own = { inFlight: worker.snapshot?.inFlight ?? 0, connections: share.open.size };
    // In a burst of new clients a snapshot is older than what was acknowledged: they would seem idle, and bring the rest.
    const settled = [...share.open].filter((id) => id <= share.newestSeen).length;
    share.idle = Math.max(0, settled - own.inFlight);
    share.newestSeen = this.#lastId;
    const serving = this.#workers().filter(({ isServing }) => isServing);
    if (!serving.includes(worker) || nowMs - share.shedAtMs < shedEveryMs) return;
    const others = serving.filter((other) => other !== worker).map((other) => this.#toLoad(other));
    const connections = toSurplus(own, others);
    if (connections === 0) return;
    share.shedAtMs = nowMs;
    this.#log.debug({ slot: worker.slot, inFlight: own.inFlight, connections }, 'worker has to shed');
    worker.send({ type: 'shed', connections });
  }

  /** Takes back what a worker that is gone never acknowledged. */
  reclaim(worker: Recipient): void {
    const share = this.#shares.get(worker);
    this.#shares.delete(worker);
    if (share === undefined || share.unacknowledged.size === 0) return;
    this.#log.info(
      { slot: worker.slot, pid: worker.pid, connections: share.unacknowledged.size },
      'connections taken back',
    );
    for (const held of share.unacknowledged.values()) this.#give(held);
  }

  /** Gives the waiting connections away; called when a worker begins to serve. */
  flush(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const held of waiting) this.#give(held);
  }

  /** Closes what waited for too long. */
  expire(nowMs: number): void {
    const { maxWaitMs, maxAckMs } = this.#limits();
    for (const held of this.#waiting.values()) {
      if (nowMs - held.sinceMs <= maxWaitMs) continue;
      this.#waiting.delete(held.id);
      held.socket.destroy();
    }
    for (const { unacknowledged } of this.#shares.values()) {
      for (const held of unacknowledged.values()) {
        if (nowMs - held.sinceMs <= maxAckMs) continue;
        // A worker without file descriptors loses the handle without a word (NODE_HANDLE_NACK in Node).
        unacknowledged.delete(held.id);
        held.socket.destroy();
      }
    }
  }

  /** Closes what no worker has; called when the service stops. */
  closeWaiting(): void {
    for (const { socket } of this.#waiting.values()) socket.destroy();
    this.#waiting.clear();
  }

  #give(held: Held): void {
    const worker = this.#choose();
    if (worker === undefined) {
      this.#waiting.set(held.id, held);
      return;
    }
    const share = this.#toShare(worker);
    share.givenLast = held.id;
    share.unacknowledged.set(held.id, held);
    held.sinceMs = performance.now();
    worker.send({ type: 'connection', id: held.id }, held.socket, () => {
      // The channel broke while sending. After `reclaim` the connection is elsewhere already.
      if (this.#shares.get(worker)?.unacknowledged.delete(held.id) === true) this.#waiting.set(held.id, held);
    });
  }

  #choose(): Recipient | undefined {
    const listening = this.#workers().filter(({ stage }) => stage === 'listening');
    const serving = listening.filter(({ isServing }) => isServing);
    // Where no worker serves (a model failed in all), those that listen can still say so to the client.
    const candidates = serving.length > 0 ? serving : listening;
    return candidates.reduce<Recipient | undefined>(
      (best, next) => (best === undefined || this.#isLess(next, best) ? next : best),
      undefined,
    );
  }

  /** Fewer busy connections first; among equals the one whose turn was longest ago, so that all get their share. */
  #isLess(left: Recipient, right: Recipient): boolean {
    const [a, b] = [this.#toShare(left), this.#toShare(right)];
    const difference = toScore(a) - toScore(b);
    return difference === 0 ? a.givenLast < b.givenLast : difference < 0;
  }

  /** Another's snapshot may be from before the clients that came since: after a burst it would seem to have nothing to do. */
  #toLoad(worker: Recipient): Load {
    const share = this.#toShare(worker);
    const inFlight = Math.max(worker.snapshot?.inFlight ?? 0, toBusy(share));
    return { inFlight, connections: share.open.size };
  }

  #toShare(worker: Recipient): Share {
    const known = this.#shares.get(worker);
    if (known !== undefined) return known;
    const share = {
      unacknowledged: new Map(),
      open: new Set<number>(),
      idle: 0,
      newestSeen: 0,
      shedAtMs: -Infinity,
      givenLast: 0,
    };
    this.#shares.set(worker, share);
    return share;
  }
}

/** Connections given since the last snapshot count as busy: they come with a request. */
function toBusy({ unacknowledged, open, idle }: Share): number {
  return unacknowledged.size + open.size - idle;
}

function toScore(share: Share): number {
  return toBusy(share) + idleWeight * share.idle;
}
