import { readFile } from 'node:fs/promises';
import type { LoadedModel } from '../../inference/engines/engine.ts';
import type { BatchCost } from '../../model/artefact.ts';
import { toProcessMemory } from '../../smaps-rollup.ts';

const sizes = [1, 2, 4, 8, 16] as const;
/** Minimum gain in time per image of a larger batch. */
const gain = 0.1;
/** Limit of the additional private memory of a larger batch, compared with one image. */
const maxExtraBytes = 100e6;
/** Each round runs every size once, so that load from other processes affects all sizes alike. */
const maxRounds = 9;
const maxMs = 6_000;

/** Result of measuring. */
export type Measured =
  | { readonly kind: 'measured'; readonly loadMs: number; readonly batches: readonly BatchCost[] }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Measures the cost of batches of 1, 2, 4, 8 and 16 images.
 * @param bytesBefore the result of {@link readNativeBytes} before the model was loaded
 */
export async function measureBatches(
  model: LoadedModel,
  imageBytes: number,
  bytesBefore: number,
): Promise<BatchCost[]> {
  const privateBytes: number[] = [];
  // In ascending order, after the first run of each size: memory is not returned.
  for (const size of sizes) {
    await timeRun(model, imageBytes, size);
    privateBytes.push((await readNativeBytes()) - bytesBefore);
  }
  const times: number[][] = sizes.map(() => []);
  const startedAt = performance.now();
  for (let round = 0; round < maxRounds && (round < 3 || performance.now() - startedAt < maxMs); round += 1) {
    for (const [index, size] of sizes.entries()) times[index]?.push(await timeRun(model, imageBytes, size));
  }
  return sizes.map((size, index) => ({
    size,
    // Other load only ever adds time.
    perImageMs: Math.min(...(times[index] ?? [])) / size,
    privateBytes: privateBytes[index] ?? 0,
  }));
}

/** The largest batch size that still reduces the time per image. */
export function chooseUsefulBatch(costs: readonly BatchCost[]): number {
  const [first, ...larger] = costs;
  if (!first) return 1;
  let useful = first;
  for (const cost of larger) {
    const isFaster = cost.perImageMs <= useful.perImageMs * (1 - gain);
    const isAffordable = cost.privateBytes - first.privateBytes <= maxExtraBytes;
    if (isFaster && isAffordable) useful = cost;
  }
  return useful.size;
}

/** Private memory without that of JavaScript, which varies with garbage collection. */
export async function readNativeBytes(): Promise<number> {
  const { heapTotal, external } = process.memoryUsage();
  return (await readPrivateBytes()) - heapTotal - external;
}

/** Private memory of this process; on systems other than Linux its RSS. */
export async function readPrivateBytes(): Promise<number> {
  const rollup = await readFile('/proc/self/smaps_rollup', 'utf8').catch(() => '');
  return toProcessMemory(rollup)?.privateBytes ?? process.memoryUsage().rss;
}

async function timeRun(model: LoadedModel, imageBytes: number, size: number): Promise<number> {
  const batch = new Uint8Array(imageBytes * size).map((_, index) => (index * 31) % 256);
  const startedAt = performance.now();
  await model.run(batch, size);
  return performance.now() - startedAt;
}
