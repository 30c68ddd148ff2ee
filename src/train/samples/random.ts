/** Draws the next number in [0, 1). */
export type Random = () => number;

/** Builds a generator (mulberry32): the same seed and stream give the same numbers on every machine. */
export function createRandom(seed: number, stream = 0): Random {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul((stream | 0) + 1, 0x85ebca6b)) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws a number from a uniform distribution between two bounds. */
export function drawBetween(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** Draws a number from a log-uniform distribution between two positive bounds. */
export function drawLogBetween(random: Random, low: number, high: number): number {
  return low * (high / low) ** random();
}

/** Shuffles items into a new array. */
export function shuffle<Item>(random: Random, items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
