import type { Random } from './random.ts';
import type { SampleSource } from './sample-source.ts';
import type { Sample } from './samples.ts';
import type { Round } from './schedule.ts';

/** Samples that are made while others are learnt. */
const samplesAhead = 48;

/** Hands out batches: some samples that are new, and some that were seen lately, as making one takes long. */
export class Rehearsal {
  readonly #source: SampleSource;
  #kept: Sample[] = [];
  #stageStart = -1;
  /** Number of the next new sample, and of the next that nobody makes yet. */
  #next = 0;
  #ordered = 0;

  constructor(source: SampleSource) {
    this.#source = source;
  }

  /** Begins a round; what was seen before it is made again where a training goes on after a break. */
  async begin({ stageStart, firstSample, stage }: Round): Promise<void> {
    if (this.#stageStart === stageStart && this.#next === firstSample) return;
    this.#kept = [];
    this.#stageStart = stageStart;
    this.#next = Math.max(stageStart, firstSample - stage.keptSamples);
    while (this.#next < firstSample) this.#keep(await this.#take(1, firstSample, stage), stage);
  }

  /** Makes the next batch of a round. */
  async draw(random: Random, { firstSample, steps, stage }: Round): Promise<Sample[]> {
    const fresh = await this.#take(stage.freshSamples, firstSample + steps * stage.freshSamples, stage);
    const again = Array.from({ length: Math.min(this.#kept.length, stage.batchSize - fresh.length) }, () => {
      const sample = this.#kept[Math.floor(random() * this.#kept.length)];
      return sample ? [sample] : [];
    });
    this.#keep(fresh, stage);
    return [...fresh, ...again.flat()];
  }

  #keep(samples: readonly Sample[], { keptSamples }: Round['stage']): void {
    this.#kept.push(...samples);
    this.#kept.splice(0, Math.max(0, this.#kept.length - keptSamples));
  }

  async #take(count: number, end: number, { size }: Round['stage']): Promise<Sample[]> {
    this.#ordered = Math.max(this.#ordered, this.#next);
    for (; this.#ordered < Math.min(end, this.#next + count + samplesAhead); this.#ordered += 1)
      this.#source.order(this.#ordered, size);
    const samples: Sample[] = [];
    for (let index = this.#next; index < this.#next + count; index += 1) samples.push(await this.#source.get(index));
    this.#next += count;
    return samples;
  }
}
