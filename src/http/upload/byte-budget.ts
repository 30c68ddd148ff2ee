import { ServiceError } from '../../errors.ts';

/** Granularity of charges: a connection costs memory of its own, however little it has sent. */
const blockBytes = 65_536;
/** Evicting an upload that holds less would free too little memory. */
const minEvictedBytes = 4096;

/** What one upload holds of the budget. */
export interface Permit {
  /**
   * Starts to charge the upload.
   * @param refuse called at most once, with ERR_OVERLOADED, when the upload is evicted; it holds nothing from then on
   */
  readonly start: (refuse: (error: ServiceError) => void) => void;
  /** Charges bytes that have arrived. */
  readonly charge: (bytes: number) => void;
  /** Marks the upload as complete: it keeps what it holds and can no longer be evicted. */
  readonly settle: () => void;
  /** Frees what it holds; idempotent. */
  readonly release: () => void;
}

/** Limits the bytes of uploads that a worker holds at one time. */
export interface ByteBudget {
  /**
   * Opens a permit that grows with the bytes received, up to `maxBytes`.
   * @throws {@link ServiceError} ERR_OVERLOADED while complete uploads fill the budget
   */
  readonly open: (maxBytes: number) => Permit;
}

/** An upload in progress. */
interface Arrival {
  readonly refuse: (error: ServiceError) => void;
  readonly maxBytes: number;
  receivedBytes: number;
  heldBytes: number;
}

/** Creates a budget of `maxBytes`. When it is used up, the slowest upload is evicted. */
export function createByteBudget(maxBytes: number): ByteBudget {
  const ledger = new Ledger(maxBytes);
  return {
    open(permitBytes) {
      if (ledger.settledBytes + toCharge(1, permitBytes) > maxBytes) throw toOverloaded();
      let arrival: Arrival | undefined;
      let ownBytes = 0;
      return {
        start(refuse) {
          arrival = { refuse, maxBytes: permitBytes, receivedBytes: 0, heldBytes: 0 };
          ledger.arriving.add(arrival);
        },
        charge(bytes) {
          if (arrival !== undefined && ledger.arriving.has(arrival)) ledger.charge(arrival, bytes);
        },
        settle() {
          if (arrival === undefined || !ledger.remove(arrival)) return;
          ownBytes = arrival.receivedBytes;
          ledger.settledBytes += ownBytes;
        },
        release() {
          if (arrival !== undefined) ledger.remove(arrival);
          ledger.settledBytes -= ownBytes;
          ownBytes = 0;
        },
      };
    },
  };
}

class Ledger {
  readonly #maxBytes: number;
  readonly arriving = new Set<Arrival>();
  /** Ordered by the time of the last block, oldest first. */
  readonly #evictable = new Set<Arrival>();
  #arrivingBytes = 0;
  settledBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  charge(arrival: Arrival, bytes: number): void {
    arrival.receivedBytes += bytes;
    if (arrival.receivedBytes <= arrival.heldBytes) return;
    const heldBytes = toCharge(arrival.receivedBytes, arrival.maxBytes);
    this.#arrivingBytes += heldBytes - arrival.heldBytes;
    arrival.heldBytes = heldBytes;
    if (heldBytes >= minEvictedBytes) this.#evictable.add(arrival);
    while (this.settledBytes + this.#arrivingBytes > this.#maxBytes && this.arriving.has(arrival)) {
      const [slowest = arrival] = this.#evictable;
      this.remove(slowest);
      slowest.refuse(toOverloaded());
    }
    // Afterwards: a stalled upload that sends one more block must not evict one that did not stall.
    if (this.#evictable.delete(arrival)) this.#evictable.add(arrival);
  }

  remove(arrival: Arrival): boolean {
    if (!this.arriving.delete(arrival)) return false;
    this.#evictable.delete(arrival);
    this.#arrivingBytes -= arrival.heldBytes;
    return true;
  }
}

/** Rounds up to whole blocks, but not above the size of the upload. */
function toCharge(bytes: number, maxBytes: number): number {
  return Math.max(bytes, Math.min(maxBytes, Math.ceil(bytes / blockBytes) * blockBytes));
}

function toOverloaded(): ServiceError {
  return new ServiceError('ERR_OVERLOADED', 'the upload buffer is full', { retryAfterSeconds: 1 });
}
