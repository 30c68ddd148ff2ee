import { toLongSidePlacement } from './framing.ts';
import type { RasterShape, Size } from './types.ts';

/** A part of a raster, in pixels, or of a picture, in shares of its width and height. */
export interface Area extends Size {
  readonly left: number;
  readonly top: number;
}

interface Grid {
  readonly columns: number;
  readonly rows: number;
}

/** How a grid that lies over a model's raster is laid over the picture that the raster was made of. */
export interface MapLayout extends Grid {
  /** Row by row, which cell of the raster's grid each one shows; those are counted row by row as well. */
  readonly cells: readonly (readonly number[])[];
  /** What of the picture it lies over, in shares; all of it where absent. */
  readonly area?: Area;
}

/**
 * Lays a grid over the picture, in cells of about the size that they have on the raster.
 * @param picture after EXIF orientation
 */
export function toMapLayout(grid: Grid, picture: Size, shape: RasterShape): MapLayout {
  const { width, height, resize } = shape;
  const whole = { left: 0, top: 0, width, height };
  switch (resize) {
    case 'stretch':
      return layOut(grid, shape, whole);
    case 'cover':
      return { ...layOut(grid, shape, whole), ...toVisibleArea(picture, shape) };
    case 'contain': {
      const scaled = scaleSize(picture, Math.min(width / picture.width, height / picture.height));
      const left = Math.floor((width - scaled.width) / 2);
      const top = Math.floor((height - scaled.height) / 2);
      return layOut(grid, shape, { left, top, ...scaled });
    }
    case 'long-side':
      return layOutLongSide(grid, picture, shape);
  }
}

function layOutLongSide(grid: Grid, picture: Size, shape: RasterShape): MapLayout {
  const { isTurned, width, height } = toLongSidePlacement(picture, shape);
  const layout = layOut(grid, shape, { left: 0, top: 0, width, height });
  return isTurned ? turnBack(layout) : layout;
}

/** Undoes a quarter turn clockwise. */
function turnBack({ columns, rows, cells }: MapLayout): MapLayout {
  const turned = Array.from({ length: columns }, (_, row) => cells.map((line) => line[columns - 1 - row] ?? 0));
  return { columns: rows, rows: columns, cells: turned };
}

/** Takes the cells of a raster's grid that lie under `area`, wholly or in part. */
function layOut(grid: Grid, raster: Size, area: Area): MapLayout {
  const across = findCells(grid.columns, raster.width, area.left, area.width);
  const down = findCells(grid.rows, raster.height, area.top, area.height);
  const cells = down.map((row) => across.map((column) => row * grid.columns + column));
  return { columns: across.length, rows: down.length, cells };
}

/** Along one side of a raster: the cells that lie under the middles of as many as have room in `length`. */
function findCells(count: number, side: number, start: number, length: number): number[] {
  const cell = side / count;
  const found = Math.max(1, Math.round(length / cell));
  const toMiddle = (index: number): number => start + ((index + 0.5) * length) / found;
  return Array.from({ length: found }, (_, index) => Math.min(count - 1, Math.floor(toMiddle(index) / cell)));
}

function scaleSize({ width, height }: Size, factor: number): Size {
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** The middle part of a picture that fills the raster; nothing where that is the whole. */
function toVisibleArea(picture: Size, raster: Size): { area?: Area } {
  const ratio = (raster.width * picture.height) / (raster.height * picture.width);
  const [width, height] = [Math.min(1, ratio), Math.min(1, 1 / ratio)];
  return ratio === 1 ? {} : { area: { left: (1 - width) / 2, top: (1 - height) / 2, width, height } };
}
