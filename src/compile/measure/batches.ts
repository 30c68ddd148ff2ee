import { readFile } from 'node:fs/promises';
import type { LoadedModel } from '../../inference/engines/engine.ts';
import type { BatchCost } from '../../model/artefact.ts';
import { toProcessMemory } from '../../smaps-rollup.ts';

const sizes = [1, 2, 4, 8, 16] as const;
/** A larger batch has to gain this share of the time per image of the smaller one. */
const gain = 0.1;
/** Private memory that a larger batch may cost a worker, above what one image costs. */
const maxExtraBytes = 100e6;
/** Rounds in which every size runs once, so that a busy moment meets all of them alike. */
const maxRounds = 9;
const maxMs = 6_000;

/** What measuring came to. */
export type Measured =
  | { readonly kind: 'measured'; readonly loadMs: number; readonly batches: readonly BatchCost[] }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Measures what batches of 1, 2, 4, 8 and 16 images cost.
 * @param bytesBefore what {@link readNativeBytes} said before the model was loaded
 */
export async function measureBatches(
  model: LoadedModel,
  imageBytes: number,
  bytesBefore: number,
): Promise<BatchCost[]> {
  const privateBytes: number[] = [];
  // Memory grows and stays, so from small to large, each after its first run.
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
    // What else the machine does only ever adds time.
    perImageMs: Math.min(...(times[index] ?? [])) / size,
    privateBytes: privateBytes[index] ?? 0,
  }));
}

/** The largest batch that is worth waiting for. */
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

/** Private memory without JavaScript's, which comes and goes with its garbage. */
export async function readNativeBytes(): Promise<number> {
  const { heapTotal, external } = process.memoryUsage();
  return (await readPrivateBytes()) - heapTotal - external;
}

/** Memory of this process that it shares with none; elsewhere than on Linux all that is resident. */
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
