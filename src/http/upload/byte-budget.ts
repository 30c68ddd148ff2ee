import { ServiceError } from '../../errors.ts';

/** Charged at a time: a connection costs memory of its own, however little it has sent. */
const blockBytes = 65_536;
/** Refusing an upload that holds less makes no room worth its client's trouble. */
const minEvictedBytes = 4096;

/** What one upload holds of the budget. */
export interface Permit {
  /**
   * Starts to charge the upload.
   * @param refuse called at most once, with ERR_OVERLOADED, where the upload has to make room for others; it holds
   * nothing from then on
   */
  readonly start: (refuse: (error: ServiceError) => void) => void;
  /** Charges bytes that have arrived. */
  readonly charge: (bytes: number) => void;
  /** The upload is complete: it keeps what it holds and is not evicted any more. */
  readonly settle: () => void;
  /** Gives back what it holds; later calls do nothing. */
  readonly release: () => void;
}

/** Bytes of uploads that a worker may hold at one time. */
export interface ByteBudget {
  /**
   * Opens a permit that grows with what arrives, up to `maxBytes`.
   * @throws {@link ServiceError} ERR_OVERLOADED while complete uploads leave no room for its first bytes.
   */
  readonly open: (maxBytes: number) => Permit;
}

/** An upload that is arriving. */
interface Arrival {
  readonly refuse: (error: ServiceError) => void;
  readonly maxBytes: number;
  receivedBytes: number;
  heldBytes: number;
}

/** Creates a budget of `maxBytes`. Where it is used up, the slowest upload is evicted. */
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
  /** The one that has waited longest for its next block comes first. */
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
    // Only now: a stalled upload that brings one more block must not evict one that did not stall.
    if (this.#evictable.delete(arrival)) this.#evictable.add(arrival);
  }

  remove(arrival: Arrival): boolean {
    if (!this.arriving.delete(arrival)) return false;
    this.#evictable.delete(arrival);
    this.#arrivingBytes -= arrival.heldBytes;
    return true;
  }
}

/** Bytes in whole blocks, as far as an upload can come to them. */
function toCharge(bytes: number, maxBytes: number): number {
  return Math.max(bytes, Math.min(maxBytes, Math.ceil(bytes / blockBytes) * blockBytes));
}

function toOverloaded(): ServiceError {
  const detail = 'too many bytes of uploads are held at the moment';
  return new ServiceError('ERR_OVERLOADED', detail, { retryAfterSeconds: 1 });
}
