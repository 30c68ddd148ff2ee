import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toFrame, toLongSidePlacement } from '../../src/image/framing.ts';

test('a_picture_of_ordinary_proportions_is_scaled_whole', () => {
  const shape = { width: 224, height: 224 };
  assert.equal(toFrame({ width: 640, height: 480 }, { ...shape, resize: 'cover' }).region, undefined);
  assert.equal(toFrame({ width: 3584, height: 224 }, { ...shape, resize: 'cover' }).region, undefined);
});

test('of_an_extreme_picture_only_the_centre_is_scaled_and_it_lies_inside', () => {
  const shape = { width: 224, height: 112, resize: 'cover' } as const;
  for (const [width, height] of [
    [1, 20_000],
    [20_000, 1],
    [7, 999],
    [100_000, 500],
    [3585, 112],
  ] as const) {
    const { region } = toFrame({ width, height }, shape);
    assert.ok(region, `${String(width)} × ${String(height)}`);
    assert.ok(region.width >= 1 && region.height >= 1);
    assert.ok(region.left >= 0 && region.left + region.width <= width);
    assert.ok(region.top >= 0 && region.top + region.height <= height);
    assert.ok(region.width === width || region.height === height);
  }
});

/** Width and height of the picture, of the raster, of the picture in the raster, and whether it is turned. */
const placements = [
  [4032, 3024, 640, 480, 640, 480, false],
  [3024, 4032, 640, 480, 640, 480, true],
  [3024, 4032, 480, 640, 480, 640, false],
  [4032, 3024, 480, 640, 480, 640, true],
  [1920, 1080, 640, 480, 640, 360, false],
  [1080, 1920, 640, 480, 640, 360, true],
  [3000, 3000, 640, 480, 480, 480, false],
  [3000, 3000, 480, 640, 480, 480, false],
  [1000, 3000, 300, 300, 100, 300, false],
  [3000, 1000, 300, 300, 300, 100, false],
  [640, 480, 640, 480, 640, 480, false],
  [100, 60, 640, 480, 100, 60, false],
  [60, 100, 640, 480, 100, 60, true],
  [500, 640, 640, 480, 614, 480, true],
  [1, 1, 640, 480, 1, 1, false],
  [1, 20_000, 640, 480, 640, 1, true],
  [20_000, 1, 640, 480, 640, 1, false],
  [1_000_000, 50, 480, 640, 1, 640, true],
] as const;

test('the_long_sides_agree_and_a_picture_is_reduced_to_fit_but_never_enlarged', () => {
  for (const [width, height, acrossRaster, downRaster, across, down, isTurned] of placements) {
    const found = toLongSidePlacement({ width, height }, { width: acrossRaster, height: downRaster });
    assert.deepEqual(found, { isTurned, width: across, height: down }, `${String(width)} × ${String(height)}`);
  }
});

test('no_picture_is_placed_beyond_its_raster', () => {
  for (let side = 1; side < 3000; side += 7) {
    for (const [width, height] of [
      [side, 3000 - side],
      [side * 17, 31],
      [13, side * 19],
    ] as const) {
      const shape = { width: 1 + (side % 97), height: 1 + (side % 89) };
      const found = toLongSidePlacement({ width, height }, shape);
      assert.ok(found.width >= 1 && found.width <= shape.width, `${String(width)} × ${String(height)}`);
      assert.ok(found.height >= 1 && found.height <= shape.height, `${String(width)} × ${String(height)}`);
    }
  }
});

test('a_turned_picture_is_scaled_as_it_stands_and_turned_after', () => {
  const frame = toFrame({ width: 1080, height: 1920 }, { width: 640, height: 480, resize: 'long-side' });
  assert.deepEqual(frame.scale, { width: 360, height: 640, fit: 'fill' });
});
