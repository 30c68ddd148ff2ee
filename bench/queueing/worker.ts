import type { ServiceTimes } from './service-times.ts';

/** One picture on its way through the simulated worker. */
export interface Picture {
  readonly arrivedAt: number;
  readonly decodeMs: number;
}

/** Admission and queue order. */
export interface Rule {
  /** Whether an arriving picture is admitted. */
  readonly admit: (picture: Picture, nowMs: number) => boolean;
  /** Chooses which of those that wait for the model is next, and drops those that it passes over for good. Else the first is. */
  readonly choose?: (
    waiting: readonly Picture[],
    nowMs: number,
    drop: (picture: Picture) => void,
  ) => Picture | undefined;
  /** Whether a picture that waits is to be refused now; asked after each arrival. */
  readonly isShed?: (picture: Picture) => boolean;
  readonly noteDone: (picture: Picture, nowMs: number) => void;
  readonly noteDropped?: (picture: Picture) => void;
}

/** What became of a picture. */
export interface Outcome {
  readonly picture: Picture;
  readonly isRefused: boolean;
  readonly tookMs: number;
}

/** Where pictures come from; `next` is asked after each arrival and each outcome. */
export interface Source {
  /** When the next arrives; Infinity where none does unless another is over. */
  readonly nextAt: () => number;
  readonly take: () => void;
  readonly noteOver: (outcome: Outcome, nowMs: number) => void;
}

interface Job {
  readonly pictures: readonly Picture[];
  /** Of the CPU, as Linux weighs nice 0 and nice 10. */
  readonly weight: number;
  leftMs: number;
}

const decodePlaces = 2;
const decodeWeight = 1024;
const batchWeight = 110;

/** A worker that has one CPU for two decodes and one batch at a time, as the service has; HTTP costs nothing here. */
export class SimulatedWorker {
  readonly outcomes: Outcome[] = [];
  readonly #times: ServiceTimes;
  readonly #rule: Rule;
  readonly #random: () => number;
  readonly #waiting = { decode: [] as Picture[], batch: [] as Picture[] };
  readonly #jobs = { decodes: [] as Job[], batch: undefined as Job | undefined };
  #nowMs = 0;

  constructor(times: ServiceTimes, rule: Rule, random: () => number) {
    this.#times = times;
    this.#rule = rule;
    this.#random = random;
  }

  /** Works until `endMs`, or until nothing is left. @param onTime tells the clock */
  run(source: Source, endMs: number, onTime: (nowMs: number) => void): void {
    for (;;) {
      const arrivesAt = source.nextAt();
      const job = this.#findNextOver();
      const overAt = job ? this.#nowMs + job.leftMs * this.#toSlowness(job) : Infinity;
      const nextMs = Math.min(arrivesAt, overAt);
      if (nextMs > endMs || nextMs === Infinity) return;
      this.#work(nextMs - this.#nowMs);
      this.#nowMs = nextMs;
      onTime(nextMs);
      const before = this.outcomes.length;
      if (arrivesAt <= overAt) {
        source.take();
        this.#arrive();
      } else if (job) {
        this.#end(job);
      }
      this.#startJobs();
      for (const outcome of this.outcomes.slice(before)) source.noteOver(outcome, nextMs);
    }
  }

  #listJobs(): Job[] {
    const { decodes, batch } = this.#jobs;
    return batch ? [...decodes, batch] : decodes;
  }

  #toSlowness({ weight }: Job): number {
    return this.#listJobs().reduce((sum, job) => sum + job.weight, 0) / weight;
  }

  #findNextOver(): Job | undefined {
    const toMs = (job: Job): number => job.leftMs * this.#toSlowness(job);
    return this.#listJobs().sort((a, b) => toMs(a) - toMs(b))[0];
  }

  #work(ms: number): void {
    const jobs = this.#listJobs();
    const shares = jobs.map((job) => ms / this.#toSlowness(job));
    for (const [index, job] of jobs.entries()) job.leftMs = Math.max(0, job.leftMs - (shares[index] ?? 0));
  }

  #arrive(): void {
    const picture = { arrivedAt: this.#nowMs, decodeMs: this.#draw(this.#times.decodes) };
    if (this.#rule.admit(picture, this.#nowMs)) this.#waiting.decode.push(picture);
    else this.#finish(picture, true);
    const { isShed } = this.#rule;
    if (isShed === undefined) return;
    for (const waiting of Object.values(this.#waiting)) {
      for (const other of waiting.filter(isShed)) this.#drop(waiting, other);
    }
  }

  #end(job: Job): void {
    if (job === this.#jobs.batch) {
      this.#jobs.batch = undefined;
      for (const picture of job.pictures) {
        this.#rule.noteDone(picture, this.#nowMs);
        this.#finish(picture, false);
      }
      return;
    }
    this.#jobs.decodes.splice(this.#jobs.decodes.indexOf(job), 1);
    this.#waiting.batch.push(...job.pictures);
  }

  #startJobs(): void {
    const { decodes } = this.#jobs;
    while (decodes.length < decodePlaces) {
      const picture = this.#waiting.decode.shift();
      if (!picture) break;
      decodes.push({ pictures: [picture], weight: decodeWeight, leftMs: picture.decodeMs });
    }
    if (this.#jobs.batch) return;
    const pictures: Picture[] = [];
    while (pictures.length < this.#times.batches.length) {
      const picture = this.#takeForBatch();
      if (!picture) break;
      pictures.push(picture);
    }
    if (pictures.length === 0) return;
    const leftMs = this.#draw(this.#times.batches[pictures.length - 1] ?? []);
    this.#jobs.batch = { pictures, weight: batchWeight, leftMs };
  }

  #takeForBatch(): Picture | undefined {
    const { choose } = this.#rule;
    const waiting = this.#waiting.batch;
    const drop = (picture: Picture): void => {
      this.#drop(waiting, picture);
    };
    const chosen = choose ? choose(waiting, this.#nowMs, drop) : waiting[0];
    if (chosen) waiting.splice(waiting.indexOf(chosen), 1);
    return chosen;
  }

  #drop(waiting: Picture[], picture: Picture): void {
    waiting.splice(waiting.indexOf(picture), 1);
    this.#rule.noteDropped?.(picture);
    this.#finish(picture, true);
  }

  #finish(picture: Picture, isRefused: boolean): void {
    this.outcomes.push({ picture, isRefused, tookMs: this.#nowMs - picture.arrivedAt });
  }

  #draw(times: readonly number[]): number {
    return times[Math.floor(this.#random() * times.length)] ?? NaN;
  }
}
