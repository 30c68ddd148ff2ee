import type { GoldenRaster } from '../ipc/thread-messages.ts';

/**
 * Compares the scores of a golden image with the manifest's.
 * @throws Error that names the image and the largest difference
 */
export function verifyGolden(golden: GoldenRaster, scores: Float32Array): void {
  const differences = golden.scores.map((expected, index) => Math.abs(expected - (scores[index] ?? Number.NaN)));
  if (differences.every((difference) => difference <= golden.tolerance)) return;
  const worst = Math.max(...differences).toFixed(4);
  throw new Error(
    `${golden.image}: scores differ by ${worst} from the manifest's (tolerance ${String(golden.tolerance)})`,
  );
}
