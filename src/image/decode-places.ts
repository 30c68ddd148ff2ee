/** One turn of native work, from waiting to its end. */
export interface Visitor {
  /** Whether it works on a plain JPEG. */
  readonly isPlain: boolean;
  readonly library: 'libvips' | 'libjpeg';
  /** Of the two places: a large picture takes both, so that memory is bounded by one such picture. */
  readonly shares: 1 | 2;
  /** Called when it is its turn. */
  readonly start: () => void;
}

/** Turns that are out of time, keep their thread and no longer their place. */
const maxOverdue = 1;

type Holding = 'shares' | 'lane' | 'overdue';

/**
 * Hands out libuv's four threads: two are the places, one may be held by a turn that is overdue, and one is a lane for
 * plain JPEGs, one at a time, while others hold the places. What a plain JPEG costs is known from its pixels; what any
 * other picture costs is known when it is done. The lane is closed to libvips while a turn has both places, and may have to
 * know which picture a message of libvips is about.
 */
export class DecodePlaces {
  readonly #queue = new Set<Visitor>();
  readonly #holdings = new Map<Visitor, Holding>();
  readonly #late = new Set<Visitor>();
  #freeShares = 2;

  /** Queues a turn. */
  enter(visitor: Visitor): void {
    this.#queue.add(visitor);
    this.#startNext();
  }

  /** Drops a turn from the queue; the next may be smaller. */
  giveUp(visitor: Visitor): void {
    if (this.#queue.delete(visitor)) this.#startNext();
  }

  /** Notes that a turn at work is out of time. */
  noteLate(visitor: Visitor): void {
    this.#late.add(visitor);
    this.#freeLatePlaces();
  }

  /** Ends a turn. */
  leave(visitor: Visitor): void {
    this.#giveBack(visitor);
    this.#holdings.delete(visitor);
    this.#late.delete(visitor);
    this.#freeLatePlaces();
  }

  #freeLatePlaces(): void {
    for (const visitor of this.#late) {
      const overdue = [...this.#holdings.values()].filter((holding) => holding === 'overdue').length;
      if (overdue >= maxOverdue) break;
      this.#giveBack(visitor);
      this.#holdings.set(visitor, 'overdue');
    }
    this.#startNext();
  }

  #giveBack(visitor: Visitor): void {
    if (this.#holdings.get(visitor) === 'shares') this.#freeShares += visitor.shares;
  }

  #startNext(): void {
    for (let next = this.#findNext(); next; next = this.#findNext()) {
      const { visitor, holding } = next;
      this.#queue.delete(visitor);
      this.#holdings.set(visitor, holding);
      if (holding === 'shares') this.#freeShares -= visitor.shares;
      visitor.start();
    }
  }

  #findNext(): { visitor: Visitor; holding: Holding } | undefined {
    const [first] = this.#queue;
    if (first && first.shares <= this.#freeShares) return { visitor: first, holding: 'shares' };
    if (this.#hasPlain()) return undefined;
    const isQuiet = this.#hasSole();
    const plain = [...this.#queue].find(({ isPlain, library }) => isPlain && !(isQuiet && library === 'libvips'));
    return plain && { visitor: plain, holding: 'lane' };
  }

  #hasSole(): boolean {
    return [...this.#holdings].some(([{ shares }, holding]) => shares === 2 && holding === 'shares');
  }

  /** An overdue one counts: it may have begun in the lane. */
  #hasPlain(): boolean {
    return [...this.#holdings.keys()].some(({ isPlain }) => isPlain);
  }
}
