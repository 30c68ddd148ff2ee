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

/** Overdue turns that keep their thread after losing their place. */
const maxOverdue = 1;

type Holding = 'shares' | 'lane' | 'overdue';

/**
 * Assigns libuv's four threads: two are the places, an overdue turn may hold one, and one is a lane for plain JPEGs, one
 * at a time, while others hold the places. The cost of a plain JPEG is known from its pixels; the cost of any other picture is
 * known when it is done. The lane is closed to libvips while a turn has both places, because that turn may need to know which
 * picture a message of libvips is about.
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

  /** Marks a running turn as out of time. */
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
