import type { Size } from '../../image/types.ts';
import type { SampleSource } from './sample-source.ts';
import type { Sample } from './samples.ts';

/** Samples that are made while others are used: making one takes long, and 1,500 of them hold 1.4 GB. */
const samplesAhead = 48;

/** Takes samples from a source in their order, while a few more are made. */
export class SampleReader {
  readonly #source: SampleSource;
  /** Number of the sample that is read next, and of the next that nobody makes yet. */
  #next = 0;
  #requested = 0;

  constructor(source: SampleSource) {
    this.#source = source;
  }

  /** Number of the sample that is read next. */
  get next(): number {
    return this.#next;
  }

  /** Goes on at another number. */
  skipTo(index: number): void {
    this.#next = index;
    this.#requested = Math.max(this.#requested, index);
  }

  /** Reads the next samples. @param end number from which on none is made ahead */
  async read(count: number, size: Size, end: number): Promise<Sample[]> {
    for (; this.#requested < Math.min(end, this.#next + count + samplesAhead); this.#requested += 1) {
      this.#source.request(this.#requested, size);
    }
    const samples: Sample[] = [];
    for (; samples.length < count; this.#next += 1) samples.push(await this.#source.take(this.#next));
    return samples;
  }
}
