import assert from 'node:assert/strict';
import test from 'node:test';
import { expose, flatten, mapCells, measureLosses, measureRange } from '../../src/train/samples/exposure.ts';
import { toLightValue } from '../../src/train/samples/light.ts';
import type { Picture } from '../../src/train/samples/photos.ts';

/** A grey picture with the `level` of each place. */
function makePicture(width: number, height: number, level: (x: number, y: number) => number): Picture {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) =>
    level(Math.floor(at / 3) % width, Math.floor(at / 3 / width)),
  );
  return { pixels, width, height };
}

/** A gradient of all values. */
const ramp = makePicture(256, 2, (x) => x);
/** A page of lines, one tenth ink. */
const makePage = (paper: number, ink: number) =>
  makePicture(160, 120, (x, y) => (y % 10 === 4 && x % 40 > 8 ? ink : paper));

test('one_stop_less_halves_the_light', () => {
  const { pixels } = expose(ramp, -1);
  for (let value = 40; value < 256; value += 1) {
    const ratio = toLightValue(pixels[value * 3] ?? 0) / toLightValue(value);
    assert.ok(Math.abs(ratio - 0.5) < 0.02, `${String(value)}: ${String(ratio)}`);
  }
});

test('light_above_white_is_clipped', () => {
  const { pixels } = expose(ramp, 1);
  assert.equal(pixels[188 * 3], 255);
  assert.equal(pixels[255 * 3], 255);
  assert.ok((pixels[180 * 3] ?? 255) < 255);
  assert.equal(pixels[0], 0);
});

test('haze_reduces_contrast_towards_one_value', () => {
  const { pixels } = flatten(ramp, 0.25, 200);
  assert.deepEqual([pixels[0], pixels[200 * 3], pixels[255 * 3]], [150, 200, 214]);
  const [before, after] = [measureRange(ramp), measureRange(flatten(ramp, 0.25, 200))];
  assert.ok(Math.abs(after / before - 0.25) < 0.03, `${String(after)} of ${String(before)}`);
});

test('the_range_excludes_the_outer_percentiles', () => {
  assert.equal(measureRange(makePicture(64, 64, () => 90)), 0);
  const speck = makePicture(70, 70, (x, y) => (x === 0 && y === 0 ? 255 : 90));
  assert.equal(measureRange(speck), 0, 'one bright pixel is no contrast');
  assert.equal(measureRange(makePicture(70, 70, (x) => (x < 35 ? 20 : 220))), 200);
  assert.equal(measureRange(makePicture(1, 1, () => 7)), 0);
});

test('a_page_whose_paper_was_white_loses_nothing_until_its_ink_does', () => {
  const page = makePage(248, 60);
  assert.equal(measureLosses(page, expose(page, 1)).whole.white, 0);
  assert.ok(measureLosses(page, expose(page, 6)).whole.white > 0.99);
});

test('a_smooth_surface_that_turns_white_is_a_smaller_loss_than_detail_that_does', () => {
  const sky = makePicture(160, 120, (x, y) => (y < 60 ? 215 : (x * 37 + y * 91) % 120));
  const burnt = makePicture(160, 120, (x, y) => (y < 60 ? (x * 37 + y * 91) % 120 : 215));
  const hide = ({ pixels, width, height }: Picture) => ({
    pixels: pixels.map((_, at) => (at < 160 * 60 * 3 ? 255 : (pixels[at] ?? 0))),
    width,
    height,
  });
  const [smooth, detailed] = [sky, burnt].map((picture) => measureLosses(picture, hide(picture)).whole.white);
  assert.ok(smooth !== undefined && smooth < 0.2, String(smooth));
  assert.ok(detailed !== undefined && detailed > 0.8, String(detailed));
});

test('a_night_loses_nothing_until_its_lights_are_gone', () => {
  const night = makePicture(160, 120, (x, y) => (x % 16 < 4 && y % 16 < 4 ? 180 : 6));
  assert.equal(measureLosses(night, expose(night, -1)).whole.black, 0);
  assert.ok(measureLosses(night, expose(night, -7)).whole.black > 0.99);
});

test('losses_appear_in_their_own_cells', () => {
  const before = makePicture(160, 120, (x, y) => 60 + ((x * 37 + y * 91) % 120));
  const after = makePicture(160, 120, (x, y) => (x < 80 ? 0 : y < 60 ? 255 : 60 + ((x * 37 + y * 91) % 120)));
  const { cells, whole } = measureLosses(before, after);
  assert.equal(cells.length, mapCells.columns * mapCells.rows);
  for (const [index, { black, white }] of cells.entries()) {
    const [column, row] = [index % mapCells.columns, Math.floor(index / mapCells.columns)];
    const expected = column < 8 ? [1, 0] : row < 6 ? [0, 1] : [0, 0];
    assert.deepEqual([black, white], expected, `cell ${String(column)}, ${String(row)}`);
  }
  assert.ok(Math.abs(whole.black - 0.5) < 0.03 && Math.abs(whole.white - 0.25) < 0.03);
});

test('losses_of_pictures_smaller_than_the_map_are_at_most_1', () => {
  for (const [width, height] of [
    [1, 1],
    [3, 2],
    [1, 50],
    [50, 1],
    [17, 13],
  ] as const) {
    const { whole, cells } = measureLosses(
      makePicture(width, height, () => 128),
      makePicture(width, height, () => 255),
    );
    assert.equal(cells.length, mapCells.columns * mapCells.rows);
    for (const { black, white } of [whole, ...cells]) assert.ok(black === 0 && white >= 0 && white <= 1);
  }
});
