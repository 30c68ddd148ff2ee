import { toMessage } from '../../errors.ts';
import type { Explained, LoadedModel } from '../../inference/engines/engine.ts';
import { CompileRefusal } from '../graph/compile-refusal.ts';

/** Tolerance of a score, maps included: 1e-4 + 1e-3 × |score|. */
const absolute = 1e-4;
const relative = 1e-3;

/** Batch sizes of random images; golden images are compared one by one. */
const batches = [1, 2, 5] as const;

/** Images whose scores are compared. */
export interface Comparison {
  /** uint8 `[height, width, 3]` each */
  readonly rasters: readonly Uint8Array[];
  readonly width: number;
  readonly height: number;
}

/**
 * Compares both forms of a model on golden and random images.
 * @returns the largest difference of a score, maps included
 * @throws CompileRefusal if a score exceeds the tolerance or isn't a number
 */
export async function verifyCompiled(
  original: LoadedModel,
  compiled: LoadedModel,
  { rasters, width, height }: Comparison,
): Promise<number> {
  let worst = 0;
  for (const [index, raster] of rasters.entries()) {
    worst = Math.max(worst, await compare(original, compiled, raster, 1, `golden image ${String(index + 1)}`));
  }
  for (const [index, count] of batches.entries()) {
    const batch = makeImages(count, width * height * 3, index);
    worst = Math.max(worst, await compare(original, compiled, batch, count, `a batch of ${String(count)}`));
  }
  return worst;
}

async function compare(
  original: LoadedModel,
  compiled: LoadedModel,
  batch: Uint8Array,
  count: number,
  what: string,
): Promise<number> {
  const expected = await run(original, batch, count, `${what} in its own form`);
  const found = await run(compiled, batch, count, `${what}, compiled`);
  const difference = compareScores(expected.scores, found.scores, what);
  return Math.max(difference, compareScores(expected.maps, found.maps, `the map of ${what}`));
}

function compareScores(expected: Float32Array, found: Float32Array, what: string): number {
  if (expected.length !== found.length) {
    throw new CompileRefusal(`${what}: ${String(found.length)} scores compiled, ${String(expected.length)} before`);
  }
  let worst = 0;
  for (const [index, score] of expected.entries()) {
    const compiledScore = found[index] ?? NaN;
    const difference = Math.abs(compiledScore - score);
    // Negated, so that NaN fails.
    if (!(difference <= absolute + relative * Math.abs(score))) {
      throw new CompileRefusal(`${what}: a score is ${String(compiledScore)} compiled, ${String(score)} before`);
    }
    worst = Math.max(worst, difference);
  }
  return worst;
}

/** Scores are read without the map, as in most requests: with it, TensorFlow runs another part of the graph. */
async function run(model: LoadedModel, batch: Uint8Array, count: number, what: string): Promise<Explained> {
  try {
    // Copies, as an engine may keep the memory.
    const scores = await model.run(batch.slice(), count);
    const explained = await model.explain?.(batch.slice(), count);
    return { scores, maps: explained?.maps ?? new Float32Array() };
  } catch (thrown) {
    throw new CompileRefusal(`${what} fails: ${toMessage(thrown)}`, { cause: thrown });
  }
}

/** Makes noise, flat colours and gradients in turn: noise alone averages out after a few convolutions. */
function makeImages(count: number, length: number, seed: number): Uint8Array {
  let state = 0x9e3779b9 ^ (seed + 1);
  const next = (): number => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    return ((state ^ (state >>> 13)) >>> 0) % 256;
  };
  const batch = new Uint8Array(count * length);
  for (let image = 0; image < count; image += 1) {
    const kind = (image + seed) % 3;
    const colour = [next(), next(), next()];
    const toPixel = [
      next,
      (at: number) => colour[at % 3] ?? 0,
      (at: number) => Math.floor((at / length) * 255) ^ (at % 3),
    ][kind];
    for (let at = 0; at < length; at += 1) batch[image * length + at] = toPixel?.(at) ?? 0;
  }
  return batch;
}
