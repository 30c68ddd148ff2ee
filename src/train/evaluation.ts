import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../inference/engines/tensorflow.ts';
import { degradePhoto, untouched } from './degradation.ts';
import type { Degradation } from './degradation.ts';
import { toInput } from './fit.ts';
import { policy, qualityLabels } from './labels.ts';
import type { QualityLabel } from './labels.ts';
import type { Photo } from './photos.ts';
import { rasterBytes, toRaster } from './samples.ts';
import type { Samples } from './samples.ts';

/** What was measured on photographs that the network never saw. */
export interface Figures {
  readonly heldOut: readonly string[];
  readonly samples: number;
  readonly areas: Readonly<Record<QualityLabel, number>>;
  readonly rates: readonly CaseRates[];
}

/** How many of the photographs get which verdict after one and the same degradation. */
export interface CaseRates {
  readonly name: string;
  readonly total: number;
  readonly flagged: number;
  readonly rejected: number;
  /** Photographs whose verdict is not the wanted one. */
  readonly wrong: readonly string[];
}

/** The named degradations that a model is judged by. */
const cases: readonly { readonly name: string; readonly isGood: boolean; readonly degradation: Degradation }[] = [
  { name: 'original', isGood: true, degradation: untouched },
  ...[0.01, 0.02, 0.03, 0.06].map((blur) => ({
    name: `blurred by ${String(blur * 100)} % of the long side`,
    isGood: false,
    degradation: { ...untouched, blur },
  })),
  { name: 'black', isGood: false, degradation: { ...untouched, gain: 0 } },
  { name: 'crushed: × 0.05', isGood: false, degradation: { ...untouched, gain: 0.05 } },
  { name: 'white', isGood: false, degradation: { ...untouched, gain: 0, offset: 255 } },
  { name: 'blown out: × 12 + 100', isGood: false, degradation: { ...untouched, gain: 12, offset: 100 } },
];

/** Runs the network over rasters; one row of scores a raster, in the order of the labels. */
export function scoreRasters(tf: TensorFlow, network: LayersModel, rasters: Uint8Array): number[][] {
  const batchSize = 16;
  const count = rasters.length / rasterBytes;
  const rows: number[][] = [];
  for (let from = 0; from < count; from += batchSize) {
    const indices = Array.from({ length: Math.min(batchSize, count - from) }, (_, index) => from + index);
    const scores = tf.tidy(() => (network.apply(toInput(tf, rasters, indices)) as Tensor).arraySync());
    rows.push(...(scores as number[][]));
  }
  return rows;
}

/** Applies every case to every photograph and counts the verdicts. */
export async function measureCases(
  tf: TensorFlow,
  network: LayersModel,
  photos: readonly Photo[],
): Promise<CaseRates[]> {
  const rates: CaseRates[] = [];
  for (const { name, isGood, degradation } of cases) {
    let flagged = 0;
    let rejected = 0;
    const wrong: string[] = [];
    for (const photo of photos) {
      const { jpeg } = await degradePhoto(photo, degradation);
      const [scores = []] = scoreRasters(tf, network, await toRaster(jpeg));
      const isFlagged = qualityLabels.some((label, index) => (scores[index] ?? 0) >= policy[label].review);
      const isRejected = qualityLabels.some((label, index) => (scores[index] ?? 0) >= policy[label].reject);
      if (isFlagged) flagged += 1;
      if (isRejected) rejected += 1;
      if (isFlagged === isGood) wrong.push(photo.file);
    }
    rates.push({ name, total: photos.length, flagged, rejected, wrong });
  }
  return rates;
}

/**
 * Measures for every label how well its score ranks the damaged above the good: the area under the ROC curve,
 * 1 perfect and 0.5 blind, over the samples that can be judged, split at a target of one half.
 */
export function measureAreas(samples: Samples, scores: readonly (readonly number[])[]): Record<QualityLabel, number> {
  const areas = qualityLabels.map((label, column) => {
    const judged = scores
      .map((row, index) => ({ score: row[column] ?? 0, at: index * qualityLabels.length + column }))
      .filter(({ at }) => (samples.weights[at] ?? 0) > 0);
    const isDamaged = ({ at }: { at: number }) => (samples.targets[at] ?? 0) >= 0.5;
    const damaged = judged.filter(isDamaged).map(({ score }) => score);
    const good = judged.filter((sample) => !isDamaged(sample)).map(({ score }) => score);
    return [label, toArea(damaged, good)] as const;
  });
  return Object.fromEntries(areas) as Record<QualityLabel, number>;
}

/** The chance that a damaged one scores above a good one; ties count half. */
export function toArea(damaged: readonly number[], good: readonly number[]): number {
  let wins = 0;
  for (const high of damaged) {
    for (const low of good) wins += high > low ? 1 : high === low ? 0.5 : 0;
  }
  return wins / (damaged.length * good.length);
}
