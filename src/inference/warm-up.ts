import { toMessage } from '../errors.ts';
import type { ModelVersion } from '../model/model-version.ts';
import type { LoadedModel } from './engines/engine.ts';

/** Time after which no further size of batch is warmed: somebody waits for the load. */
const warmUpMs = 250;

/**
 * Runs every size of batch that will be run: the first run of a size takes twice the time of the next, as kernels are
 * prepared for a shape once.
 * @returns the largest size that is useful, and what an operator should know of it
 * @throws Error where the first run fails or its scores are no numbers.
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
  // The maps of a compiled model were compared with those of the original; here nobody has seen one yet.
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
      // Frozen for one image at a time, say.
      return { usefulBatch: count - 1, remark: `batches of ${String(count)} do not run: ${toMessage(thrown)}` };
    }
    if (performance.now() - startedAt > warmUpMs) break;
  }
  return { usefulBatch };
}

function assertNumbers(scores: Float32Array): void {
  if (!scores.every(Number.isFinite)) throw new Error('a score is not a number: the weights are damaged');
}
