import type { Socket } from 'node:net';

/** A connection that the primary still has. */
export interface Held {
  readonly id: number;
  readonly socket: Socket;
  /** The address that it is counted under; undefined where it is not. */
  readonly address: string | undefined;
  readonly arrivedAt: number;
  sentAt: number;
  /** A worker never had what it was sent. */
  wasLost: boolean;
}

/** A message that a worker answers after all connections that were sent before it in the same channel. */
interface Probe {
  readonly id: number;
  readonly sentAt: number;
  /** The connections that were not acknowledged when it was sent. */
  readonly covered: readonly Held[];
  /** Snapshots of the worker that came after it, without an answer to it. */
  snapshots: number;
}

/** Node sends one handle at a time and waits for its acknowledgement; more would only queue where they cannot be taken back. */
const maxUnacknowledged = 4;
/** A worker whose window has been full for this long is passed over. */
const slowMs = 200;
/** An idle connection may bring a request at any time; most do not just now. */
const idleWeight = 0.25;

/** The connections of one worker, as the primary knows them. */
export class Share {
  /** Sent but not acknowledged, in the order of sending: the primary still has the socket. */
  readonly unacknowledged = new Map<number, Held>();
  /** By id, the address that a connection is counted under. */
  readonly open = new Map<number, string | undefined>();
  probe: Probe | undefined;
  /** It lost connections, as a worker without free file descriptors does; it gets none before this time. */
  avoidedUntilMs = -Infinity;
  shedAt = -Infinity;
  givenLast = 0;
  /** Open ones without a request in flight, at the last snapshot; those that came since the one before are left out. */
  #idle = 0;
  /** The newest connection of all when the last snapshot came. */
  #newestSeen = 0;

  get size(): number {
    return this.unacknowledged.size + this.open.size;
  }

  /** Connections given since the last snapshot count as busy: they come with a request. */
  get busy(): number {
    return this.size - this.#idle;
  }

  get score(): number {
    return this.busy + idleWeight * this.#idle;
  }

  get isFull(): boolean {
    return this.unacknowledged.size >= maxUnacknowledged;
  }

  /** Whether it is full, and not because of a burst just now. */
  isSlow(nowMs: number): boolean {
    return this.isFull && nowMs - (this.oldest?.sentAt ?? nowMs) > slowMs;
  }

  /** The connection that has waited longest for its acknowledgement. */
  get oldest(): Held | undefined {
    const [oldest] = this.unacknowledged.values();
    return oldest;
  }

  /** Takes note of what a snapshot says. @param newestId of all connections up to now */
  settle(inFlight: number, newestId: number): void {
    // In a burst of new clients a snapshot is older than what was acknowledged: they would seem idle, and bring the rest.
    let settled = 0;
    for (const id of this.open.keys()) if (id <= this.#newestSeen) settled += 1;
    this.#idle = Math.max(0, settled - inFlight);
    this.#newestSeen = newestId;
  }

  /** Removes a connection that has ended. */
  close(id: number): void {
    if (this.open.delete(id) && id <= this.#newestSeen) this.#idle = Math.max(0, this.#idle - 1);
  }
}
