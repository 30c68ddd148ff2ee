import type { Random } from '../samples/random.ts';
import { SampleReader } from '../samples/sample-reader.ts';
import type { SampleSource } from '../samples/sample-source.ts';
import type { Sample } from '../samples/samples.ts';
import type { Round } from './schedule.ts';

/** Draws batches of some new samples and some recent ones, because rendering a sample takes long. */
export class ReplayBuffer {
  readonly #reader: SampleReader;
  #kept: Sample[] = [];
  #stageStart = -1;

  constructor(source: SampleSource) {
    this.#reader = new SampleReader(source);
  }

  /** Starts a round; after an interruption the recent samples are rendered again. */
  async startRound({ stageStart, firstSample, stage }: Round): Promise<void> {
    if (this.#stageStart === stageStart && this.#reader.next === firstSample) return;
    this.#kept = [];
    this.#stageStart = stageStart;
    this.#reader.skipTo(Math.max(stageStart, firstSample - stage.replaySamples));
    while (this.#reader.next < firstSample) this.#keep(await this.#reader.read(1, stage.size, firstSample), stage);
  }

  /** Draws the next batch of a round. */
  async drawBatch(random: Random, { firstSample, steps, stage }: Round): Promise<Sample[]> {
    const end = firstSample + steps * stage.freshSamples;
    const fresh = await this.#reader.read(stage.freshSamples, stage.size, end);
    const again = Array.from({ length: Math.min(this.#kept.length, stage.batchSize - fresh.length) }, () => {
      const sample = this.#kept[Math.floor(random() * this.#kept.length)];
      return sample ? [sample] : [];
    });
    this.#keep(fresh, stage);
    return [...fresh, ...again.flat()];
  }

  #keep(samples: readonly Sample[], { replaySamples }: Round['stage']): void {
    this.#kept.push(...samples);
    this.#kept.splice(0, Math.max(0, this.#kept.length - replaySamples));
  }
}
