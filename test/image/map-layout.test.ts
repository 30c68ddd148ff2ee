import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.ts';
import { type MapLayout, toMapLayout } from '../../src/image/map-layout.ts';
import { makeMarked } from '../fixtures/map-model.ts';

const grid = { columns: 20, rows: 15 };
const raster = { width: 640, height: 480 };
const limits = { maxPixels: 1e8, decodeTimeoutMs: 30_000, maxDecodeBytes: Infinity };
type Mode = Parameters<typeof toMapLayout>[2]['resize'];
type Sides = readonly [left: number, top: number, right: number, bottom: number];

const toKey = ({ columns, rows }: MapLayout): string => `${String(columns)}x${String(rows)}`;

/** Mean of red in each cell of the grid over a raster, row by row. */
function toRedness(pixels: Uint8Array, size: typeof raster): number[] {
  const sums = new Array<number>(grid.columns * grid.rows).fill(0);
  for (let row = 0; row < size.height; row += 1) {
    for (let column = 0; column < size.width; column += 1) {
      const across = Math.floor((column * grid.columns) / size.width);
      const cell = Math.floor((row * grid.rows) / size.height) * grid.columns + across;
      sums[cell] = (sums[cell] ?? 0) + (pixels[(row * size.width + column) * 3] ?? 0) / 255;
    }
  }
  return sums.map((sum) => (sum * grid.columns * grid.rows) / (size.width * size.height));
}

/** Places an upright picture as the resize mode `long-side` says, here in red's absence where it does not reach. */
async function placeLongSide(bytes: Buffer, size: typeof raster): Promise<Uint8Array> {
  const { width, height } = await sharp(bytes).metadata();
  const isTurned = (width - height) * (size.width - size.height) < 0;
  const turned = await sharp(bytes)
    .rotate(isTurned ? 90 : 0)
    .toBuffer();
  const reduced = sharp(turned).resize({ ...size, fit: 'inside', withoutEnlargement: true });
  const { data, info } = await reduced.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(size.width * size.height * 3);
  for (let row = 0; row < info.height; row += 1) {
    const line = data.subarray(row * info.width * 3, (row + 1) * info.width * 3);
    pixels.set(line, row * size.width * 3);
  }
  return pixels;
}

function toRaster(bytes: Buffer, size: typeof raster, resize: Mode): Promise<Uint8Array> {
  return resize === 'long-side' ? placeLongSide(bytes, size) : decodeImage(bytes, { ...size, resize }, limits);
}

/**
 * Cuts the map out of a real raster and compares each cell with the mark in the picture under its middle.
 * @returns the layout
 */
async function assertMark(picture: [number, number], mark: Sides, resize: Mode, size = raster): Promise<MapLayout> {
  const redness = toRedness(await toRaster(await makeMarked(picture, mark), size, resize), size);
  const [width, height] = picture;
  const layout = toMapLayout(grid, { width, height }, { ...size, resize });
  const { area = { left: 0, top: 0, width: 1, height: 1 }, columns, rows } = layout;
  const found = { hot: 0, cold: 0 };
  assert.equal(layout.cells.length, rows);
  for (const [row, line] of layout.cells.entries()) {
    assert.equal(line.length, columns);
    for (const [column, cell] of line.entries()) {
      const [x, y] = [
        area.left + ((column + 0.5) * area.width) / columns,
        area.top + ((row + 0.5) * area.height) / rows,
      ];
      // A cell across an edge of the mark is of both.
      const isAcross = [mark[0], mark[2]].some((edge) => Math.abs(edge - x) < area.width / columns);
      const isDown = [mark[1], mark[3]].some((edge) => Math.abs(edge - y) < area.height / rows);
      if (isAcross || isDown) continue;
      const isHot = x > mark[0] && x < mark[2] && y > mark[1] && y < mark[3];
      found[isHot ? 'hot' : 'cold'] += 1;
      const what = `${resize} ${picture.join('x')}: row ${String(row)}, column ${String(column)}`;
      assert.equal(Math.round(redness[cell] ?? NaN), isHot ? 1 : 0, what);
    }
  }
  assert.ok(found.hot > 0 && found.cold > 0, 'both were looked at');
  return layout;
}

// Beyond the picture there is no edge.
const topRight: Sides = [0.5, -9, 9, 0.5];
const bottomLeft: Sides = [-9, 0.6, 0.4, 9];
const middle: Sides = [0.3, 0.3, 0.75, 0.75];

const shapes: readonly { resize: Mode; picture: [number, number]; key: string; size?: typeof raster }[] = [
  { resize: 'stretch', picture: [600, 900], key: '20x15' },
  { resize: 'contain', picture: [1200, 900], key: '20x15' },
  { resize: 'contain', picture: [600, 900], key: '10x15' },
  { resize: 'contain', picture: [1500, 600], key: '20x8' },
  { resize: 'contain', picture: [200, 300], key: '10x15' },
  { resize: 'cover', picture: [1200, 900], key: '20x15' },
  { resize: 'cover', picture: [1000, 600], key: '20x15' },
  { resize: 'cover', picture: [640, 640], key: '20x15' },
  { resize: 'long-side', picture: [1280, 960], key: '20x15' },
  { resize: 'long-side', picture: [960, 1280], key: '15x20' },
  { resize: 'long-side', picture: [1500, 600], key: '20x8' },
  { resize: 'long-side', picture: [600, 1500], key: '8x20' },
  { resize: 'long-side', picture: [900, 900], key: '15x15' },
  { resize: 'long-side', picture: [320, 256], key: '10x8' },
  { resize: 'long-side', picture: [256, 320], key: '8x10' },
  // Cells of a raster on its side are 24 × 42 pixels.
  { resize: 'long-side', picture: [960, 1280], key: '20x15', size: { width: 480, height: 640 } },
  { resize: 'long-side', picture: [1280, 960], key: '15x20', size: { width: 480, height: 640 } },
  { resize: 'long-side', picture: [240, 384], key: '10x12', size: { width: 480, height: 480 } },
];

for (const { resize, picture, key, size } of shapes) {
  test(`a mark in a picture of ${picture.join(' × ')} is where its map is hot (${resize})`, async () => {
    const layouts = [
      await assertMark(picture, topRight, resize, size),
      await assertMark(picture, bottomLeft, resize, size),
      await assertMark(picture, middle, resize, size),
    ];
    assert.deepEqual(new Set(layouts.map(toKey)), new Set([key]));
  });
}

test('only_where_a_part_of_the_picture_is_seen_the_area_is_told', () => {
  const toArea = (width: number, height: number, resize: Mode): unknown =>
    toMapLayout(grid, { width, height }, { ...raster, resize }).area;
  assert.deepEqual(toArea(1280, 480, 'cover'), { left: 0.25, top: 0, width: 0.5, height: 1 });
  assert.deepEqual(toArea(640, 640, 'cover'), { left: 0, top: 0.125, width: 1, height: 0.75 });
  assert.equal(toArea(1000, 750, 'cover'), undefined);
  for (const mode of ['stretch', 'contain', 'long-side'] as const) assert.equal(toArea(1280, 480, mode), undefined);
});

test('the_smallest_and_the_longest_pictures_have_a_cell_at_least_and_none_outside_of_the_grid', () => {
  for (const resize of ['stretch', 'contain', 'cover', 'long-side'] as const) {
    for (const [width, height] of [
      [1, 1],
      [2, 1],
      [1, 20_000],
      [20_000, 1],
      [31, 33],
    ] as const) {
      const { columns, rows, cells } = toMapLayout(grid, { width, height }, { ...raster, resize });
      const what = `${resize} ${String(width)} × ${String(height)}`;
      assert.ok(columns >= 1 && rows >= 1, what);
      assert.deepEqual([cells.length, ...new Set(cells.map((line) => line.length))], [rows, columns], what);
      assert.ok(
        cells.flat().every((cell) => Number.isInteger(cell) && cell >= 0 && cell < 300),
        what,
      );
    }
  }
});

test('one_cell_in_all_is_the_whole_picture', () => {
  for (const resize of ['stretch', 'contain', 'cover', 'long-side'] as const) {
    const layout = toMapLayout({ columns: 1, rows: 1 }, { width: 300, height: 400 }, { ...raster, resize });
    assert.deepEqual([layout.columns, layout.rows, layout.cells], [1, 1, [[0]]]);
  }
});

test('a_quarter_turn_is_undone_cell_by_cell', () => {
  const small = { columns: 3, rows: 2 };
  const { cells } = toMapLayout(small, { width: 20, height: 30 }, { width: 30, height: 20, resize: 'long-side' });
  // The top left of the picture is the top right of the raster.
  assert.deepEqual(cells, [
    [2, 5],
    [1, 4],
    [0, 3],
  ]);
});
