import type { Size } from '../../image/types.ts';
import type { SampleSource } from './sample-source.ts';
import type { Sample } from './samples.ts';

/** Read-ahead: rendering a sample takes long, and 1,500 of them hold 1.4 GB. */
const samplesAhead = 48;

/** Reads samples from a source in their order and requests a few ahead. */
export class SampleReader {
  readonly #source: SampleSource;
  /** Number of the next sample to read, and of the next to request. */
  #next = 0;
  #requested = 0;

  constructor(source: SampleSource) {
    this.#source = source;
  }

  /** Number of the next sample to read. */
  get next(): number {
    return this.#next;
  }

  /** Continues at another number. */
  skipTo(index: number): void {
    this.#next = index;
    this.#requested = Math.max(this.#requested, index);
  }

  /** Reads the next samples. @param end number of the first sample that is not requested ahead */
  async read(count: number, size: Size, end: number): Promise<Sample[]> {
    for (; this.#requested < Math.min(end, this.#next + count + samplesAhead); this.#requested += 1) {
      this.#source.request(this.#requested, size);
    }
    const samples: Sample[] = [];
    for (; samples.length < count; this.#next += 1) samples.push(await this.#source.take(this.#next));
    return samples;
  }
}
