import { toMessage } from '../errors.ts';
import type { ModelVersion } from '../model/model-version.ts';
import type { LoadedModel } from './engines/engine.ts';

/** Time after which no further batch size is warmed up: requests wait for the load. */
const warmUpMs = 250;

/**
 * Runs every batch size that will be used: kernels are prepared once per shape, so the first run of a size takes twice as
 * long as the next.
 * @returns the largest useful batch size, and a remark for the operator
 * @throws Error if the first run fails or a score is not a finite number
 */
export async function warmUp(
  loaded: LoadedModel,
  { manifest }: ModelVersion,
  maxBatch: number,
): Promise<{ usefulBatch: number | undefined; remark?: string }> {
  const { width, height } = manifest.input;
  const { usefulBatch } = loaded;
  const startedAt = performance.now();
  const run = async (count: number): Promise<void> => {
    assertNumbers(await loaded.run(new Uint8Array(count * width * height * 3), count));
  };
  // The compiler has verified the maps of a compiled model; those of an original are checked here.
  if (loaded.explain && loaded.form !== 'compiled') {
    const { scores, maps } = await loaded.explain(new Uint8Array(width * height * 3), 1);
    assertNumbers(scores);
    assertNumbers(maps);
  } else {
    await run(1);
  }
  for (let count = 2; count <= Math.min(maxBatch, usefulBatch ?? maxBatch); count += 1) {
    try {
      await run(count);
    } catch (thrown) {
      // E.g. a graph with a fixed batch size of one.
      return { usefulBatch: count - 1, remark: `batches of ${String(count)} do not run: ${toMessage(thrown)}` };
    }
    if (performance.now() - startedAt > warmUpMs) break;
  }
  return { usefulBatch };
}

function assertNumbers(scores: Float32Array): void {
  if (!scores.every(Number.isFinite)) throw new Error('a score is not a number: the weights are damaged');
}
