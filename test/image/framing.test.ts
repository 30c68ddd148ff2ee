import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeCentred, toFrame } from '../../src/image/framing.ts';

/** Pixels that carry their column and row. */
function numberPixels(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    return [pixel % width, Math.floor(pixel / width), 9][at % 3] ?? 0;
  });
}

test('a larger picture is cropped to its centre', () => {
  const raster = placeCentred(numberPixels(5, 4), { width: 5, height: 4 }, { width: 2, height: 2 });
  assert.deepEqual([...raster], [2, 1, 9, 3, 1, 9, 2, 2, 9, 3, 2, 9]);
});

test('a smaller picture stands in the middle of black', () => {
  const raster = placeCentred(numberPixels(1, 1).fill(7), { width: 1, height: 1 }, { width: 4, height: 3 });
  const lit = [...raster.keys()].filter((at) => raster[at] !== 0);
  assert.deepEqual(lit, [15, 16, 17], 'row 1, column 1');
});

test('a picture larger one way and smaller the other is cropped and framed', () => {
  const raster = placeCentred(numberPixels(3, 1), { width: 3, height: 1 }, { width: 1, height: 3 });
  assert.deepEqual([...raster], [0, 0, 0, 1, 0, 9, 0, 0, 0]);
});

test('the raster has memory of its own', () => {
  const pixels = numberPixels(2, 2);
  const raster = placeCentred(pixels, { width: 2, height: 2 }, { width: 2, height: 2 });
  assert.deepEqual(raster, pixels);
  assert.notEqual(raster.buffer, pixels.buffer);
  assert.equal(raster.buffer.byteLength, raster.length);
});

test('a picture of ordinary proportions is scaled whole', () => {
  const shape = { width: 224, height: 224 };
  assert.equal(toFrame({ width: 640, height: 480 }, { ...shape, resize: 'cover' }).region, undefined);
  assert.equal(toFrame({ width: 3584, height: 224 }, { ...shape, resize: 'cover' }).region, undefined);
});

test('of an extreme picture only the centre is scaled, and it lies inside', () => {
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
