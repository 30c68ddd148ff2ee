import type { BenchModel } from '../peers/contender.ts';
import type { SizeName } from './pictures.ts';

/** Picks one cell of the closed loop. */
export interface CellName {
  readonly model: BenchModel;
  readonly size: SizeName;
  readonly connections: number;
}

/** Returns the figures of one cell, in the order of measuring. */
export function findCell<Figure extends CellName>(
  figures: readonly Figure[],
  { model, size, connections }: CellName,
): Figure[] {
  return figures.filter(
    (figure) => figure.model === model && figure.size === size && figure.connections === connections,
  );
}
