import { createRandom, shuffle } from '../src/train/samples/random.ts';
import type { FuzzedFormat } from './chunks.ts';
import { mutate, pick } from './mutator.ts';
import { formats, type Seeds } from './seeds.ts';

/** A mutated picture, and what reproduces it. */
export interface Input {
  readonly name: string;
  readonly format: FuzzedFormat;
  readonly bytes: Buffer;
}

/** Streams of random numbers: one for each input of each format. */
const streamsOfFormat = 2 ** 24;

/** Makes one input: the same for the same seeds, run seed, format and number. */
export function makeInput(seeds: Seeds, runSeed: number, format: FuzzedFormat, number: number): Input {
  const random = createRandom(runSeed, formats.indexOf(format) * streamsOfFormat + number);
  const bytes = mutate(pick(random, seeds[format]), { random, format, donor: pick(random, seeds[format]) });
  return { name: `${format}-seed${String(runSeed)}-${String(number)}.${format}`, format, bytes };
}

/** Makes `counts` inputs of each format, mixed, so that any part of them is a fair sample. */
export function* makeInputs(
  seeds: Seeds,
  runSeed: number,
  counts: Readonly<Record<FuzzedFormat, number>>,
): Generator<Input, undefined> {
  const order = formats.flatMap((format) => Array<FuzzedFormat>(counts[format]).fill(format));
  const made = new Map<FuzzedFormat, number>();
  for (const format of shuffle(createRandom(runSeed, -1), order)) {
    const number = made.get(format) ?? 0;
    made.set(format, number + 1);
    yield makeInput(seeds, runSeed, format, number);
  }
}
