import { toMapLayout } from '../image/map-layout.ts';
import type { Size } from '../image/types.ts';
import type { Manifest } from '../model/manifest.ts';
import type { LabelMap } from './types.ts';

/** Extracts the map of the label at `index`. */
export type LabelMapper = (index: number) => LabelMap;

/**
 * Maps a model's label map onto the image.
 * @param map float32 `[rows, columns, labels]` over the raster
 * @param picture its size after EXIF orientation
 * @throws Error where a score is not a number
 */
export function createLabelMapper(
  { input, output }: Manifest,
  map: Float32Array,
  picture: Size,
): LabelMapper | undefined {
  if (!output.map) return undefined;
  if (!map.every(Number.isFinite)) throw new Error('the map has a score that is not a number');
  const { width: columns, height: rows } = output.map;
  const { cells, ...layout } = toMapLayout({ columns, rows }, picture, input);
  const toScore = (cell: number, label: number): number => map[cell * output.labels.length + label] ?? NaN;
  return (index) => ({ ...layout, scores: cells.map((row) => row.map((cell) => toScore(cell, index))) });
}
