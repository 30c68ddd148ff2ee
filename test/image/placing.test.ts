import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeCentred, placeMirrored } from '../../src/image/placing.ts';
import { mirrorPixels } from './long-side.ts';

/** Pixels that carry their column and row. */
function numberPixels(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    return [pixel % width, Math.floor(pixel / width), 9][at % 3] ?? 0;
  });
}

test('a_larger_picture_is_cropped_to_its_centre', () => {
  const raster = placeCentred(numberPixels(5, 4), { width: 5, height: 4 }, { width: 2, height: 2 });
  assert.deepEqual([...raster], [2, 1, 9, 3, 1, 9, 2, 2, 9, 3, 2, 9]);
});

test('a_smaller_picture_stands_in_the_middle_of_black', () => {
  const raster = placeCentred(numberPixels(1, 1).fill(7), { width: 1, height: 1 }, { width: 4, height: 3 });
  const lit = [...raster.keys()].filter((at) => raster[at] !== 0);
  assert.deepEqual(lit, [15, 16, 17], 'row 1, column 1');
});

test('a_picture_larger_one_way_and_smaller_the_other_is_cropped_and_framed', () => {
  const raster = placeCentred(numberPixels(3, 1), { width: 3, height: 1 }, { width: 1, height: 3 });
  assert.deepEqual([...raster], [0, 0, 0, 1, 0, 9, 0, 0, 0]);
});

test('the_raster_has_memory_of_its_own', () => {
  for (const place of [placeCentred, placeMirrored]) {
    const pixels = numberPixels(2, 2);
    const raster = place(pixels, { width: 2, height: 2 }, { width: 2, height: 2 });
    assert.deepEqual(raster, pixels);
    assert.notEqual(raster.buffer, pixels.buffer);
    assert.equal(raster.buffer.byteLength, raster.length);
  }
});

test('the_mirror_images_repeat_the_edge', () => {
  const raster = placeMirrored(numberPixels(2, 1), { width: 2, height: 1 }, { width: 7, height: 2 });
  const columns = [...raster.keys()].filter((at) => at % 3 === 0).map((at) => raster[at]);
  assert.deepEqual(columns, [0, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1]);
});

test('a_picture_of_any_size_is_mirrored_to_all_of_a_raster_of_any_size', () => {
  for (const to of [
    { width: 16, height: 12 },
    { width: 13, height: 17 },
  ]) {
    for (let width = 1; width <= to.width; width += 1) {
      for (let height = 1; height <= to.height; height += 1) {
        const pixels = numberPixels(width, height);
        const raster = placeMirrored(pixels, { width, height }, to);
        assert.deepEqual(raster, mirrorPixels(pixels, { width, height }, to), `${String(width)} × ${String(height)}`);
      }
    }
  }
});
