import type { Manifest } from '../../model/manifest.ts';

/** Names of the model outputs to read. */
export interface ChosenOutputs {
  readonly scores: string;
  readonly map: string | undefined;
}

/**
 * Chooses the outputs named by a manifest; unnamed scores are the only output beside the map.
 * @throws Error if one is missing, or the scores could be any of several outputs
 */
export function chooseOutputs(names: readonly string[], { tensor, map }: Manifest['output']): ChosenOutputs {
  const fail = (option: string): never => {
    throw new Error(`the model has the outputs ${names.join(', ')}; ${option} in the manifest must name one`);
  };
  if (map && !names.includes(map.tensor)) fail('output.map.tensor');
  const others = names.filter((name) => name !== map?.tensor);
  const scores = tensor ?? (others.length === 1 ? others[0] : undefined);
  if (scores === undefined || !names.includes(scores)) return fail('output.tensor');
  return { scores, map: map?.tensor };
}

/** @throws Error if the shape of a model's scores doesn't match the manifest's labels */
export function assertScores(shape: readonly number[], count: number, labels: number): void {
  const [rows, columns] = shape;
  if (shape.length === 2 && rows === count && columns === labels) return;
  const found = shape.join(', ');
  throw new Error(
    `the model answers [${found}], the manifest names ${String(labels)} labels for ${String(count)} images`,
  );
}

/** @throws Error if the shape of a model's maps doesn't match the manifest */
export function assertMaps(shape: readonly number[], count: number, { labels, map }: Manifest['output']): void {
  const wanted = [count, map?.height, map?.width, labels.length].join(', ');
  const found = shape.join(', ');
  if (found !== wanted) throw new Error(`the model's maps are [${found}], the manifest's output.map says [${wanted}]`);
}
