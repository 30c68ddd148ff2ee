import type { Socket } from 'node:net';

/** A connection that the primary still has. */
export interface Held {
  readonly id: number;
  readonly socket: Socket;
  /** The address that it is counted under; undefined where it is not. */
  readonly address: string | undefined;
  readonly arrivedAt: number;
  sentAt: number;
  /** Whether a worker lost it on the way. */
  wasLost: boolean;
}

/** A message that a worker answers after it has received all connections sent before it. */
interface Probe {
  readonly id: number;
  readonly sentAt: number;
  /** The connections that were not acknowledged when it was sent. */
  readonly covered: readonly Held[];
  /** Snapshots of the worker that came after it, without an answer to it. */
  snapshots: number;
}

/** Node sends one handle at a time and waits for its acknowledgement; more would queue where they can't be taken back. */
const maxUnacknowledged = 4;
/** A worker whose window has been full for this long is passed over. */
const slowMs = 200;
/** Weight of an idle connection: it may bring a request at any time, but most don't. */
const idleWeight = 0.25;

/** The connections of one worker, as the primary knows them. */
export class Share {
  /** Sent but not acknowledged, in the order of sending: the primary still has the socket. */
  readonly unacknowledged = new Map<number, Held>();
  /** By id, the address that a connection is counted under. */
  readonly open = new Map<number, string | undefined>();
  probe: Probe | undefined;
  /** The worker lost connections, as one without free file descriptors does; it gets none before this time. */
  avoidedUntilMs = -Infinity;
  shedAt = -Infinity;
  givenLast = 0;
  /** Open connections without a request at the last snapshot, without those newer than the snapshot before. */
  #idle = 0;
  /** Id of the newest connection at the last snapshot. */
  #newestSeen = 0;

  get size(): number {
    return this.unacknowledged.size + this.open.size;
  }

  /** Connections given since the last snapshot count as busy: they bring a request. */
  get busy(): number {
    return this.size - this.#idle;
  }

  get score(): number {
    return this.busy + idleWeight * this.#idle;
  }

  get isFull(): boolean {
    return this.unacknowledged.size >= maxUnacknowledged;
  }

  /** Whether it has been full for longer than a burst lasts. */
  isSlow(nowMs: number): boolean {
    return this.isFull && nowMs - (this.oldest?.sentAt ?? nowMs) > slowMs;
  }

  /** The connection that has waited longest for its acknowledgement. */
  get oldest(): Held | undefined {
    const [oldest] = this.unacknowledged.values();
    return oldest;
  }

  /** Updates the idle count from a snapshot. @param newestId id of the newest connection of all workers */
  settle(inFlight: number, newestId: number): void {
    // In a burst a snapshot is older than the newest connections: they would look idle and attract the rest of the burst.
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
