import assert from 'node:assert/strict';
import test from 'node:test';
import { qualityLabels } from '../../src/train/samples/labels.ts';
import { drawLandscape } from '../../src/train/samples/landscape.ts';
import { toMapSize } from '../../src/train/samples/network-input.ts';
import type { Picture } from '../../src/train/samples/photos.ts';
import { drawPlan, type Plan } from '../../src/train/samples/plan.ts';
import { createRandom } from '../../src/train/samples/random.ts';
import { renderSample, type Sample } from '../../src/train/samples/samples.ts';
import { measureCrop } from '../../src/train/samples/scenes.ts';

const raster = { width: 320, height: 240 };
const map = toMapSize(raster);

/** Uniform fine detail: where it is missing, a degradation removed it. */
function makeTexture(width: number, height: number): Picture {
  const random = createRandom(1);
  const level = Uint8Array.from({ length: width * height }, () => 60 + 140 * random());
  return {
    pixels: Uint8Array.from({ length: width * height * 3 }, (_, at) => level[Math.floor(at / 3)] ?? 0),
    width,
    height,
  };
}

/** Finds the numbers of samples with a matching plan. */
function findSamples(seed: number, count: number, holds: (plan: Plan) => boolean): number[] {
  const found: number[] = [];
  for (let index = 0; found.length < count; index += 1) {
    const random = createRandom(seed, index);
    // The first number chooses the photograph.
    random();
    if (holds(drawPlan(random))) found.push(index);
  }
  return found;
}

/** Measures the mean difference of neighbours in every cell of a raster, row by row. */
function measureCells({ raster: pixels }: Sample): number[] {
  const sums = Array.from({ length: map.width * map.height }, () => ({ sum: 0, count: 0 }));
  for (let y = 1; y < raster.height; y += 1) {
    for (let x = 1; x < raster.width; x += 1) {
      const at = (y * raster.width + x) * 3;
      const row = Math.floor((y * map.height) / raster.height);
      const cell = sums[row * map.width + Math.floor((x * map.width) / raster.width)];
      assert.ok(cell);
      cell.sum += Math.abs((pixels[at] ?? 0) - (pixels[at - 3] ?? 0));
      cell.count += 1;
    }
  }
  return sums.map(({ sum, count }) => sum / count);
}

/** Measures the share of all pairs of a sharp and a blurry cell in which the sharp one has more detail. */
function measureAgreement(sample: Sample): number {
  const details = measureCells(sample);
  const values = details.map((_, cell) => sample.mapTargets[cell * qualityLabels.length * 2] ?? Number.NaN);
  const [sharp, blurry] = [0, 1].map((wanted) => details.filter((_, cell) => values[cell] === wanted));
  assert.ok(sharp && blurry && sharp.length > 0 && blurry.length > 0, 'it has both');
  const right = sharp.flatMap((one) => blurry.filter((other) => one > other));
  return right.length / sharp.length / blurry.length;
}

test('a_sample_is_the_same_in_any_order_and_no_two_are_alike', async () => {
  const photos = [drawLandscape(1, 200, 150), drawLandscape(2, 150, 200)];
  const render = (indexes: readonly number[]) =>
    Promise.all(indexes.map((index) => renderSample(photos, 5, index, raster)));
  const [first, again] = [await render([0, 1, 2, 3]), (await render([3, 2, 1, 0])).reverse()];
  assert.deepEqual(again, first);
  assert.equal(new Set(first.map(({ raster: pixels }) => Buffer.from(pixels).toString('base64'))).size, 4);
  assert.notDeepEqual(await renderSample(photos, 6, 0, raster), first[0], 'another seed');
});

test('a_sample_has_a_raster_and_targets_for_every_label_and_cell', async () => {
  const sample = await renderSample([drawLandscape(1, 90, 400)], 1, 0, raster);
  assert.equal(sample.raster.length, raster.width * raster.height * 3);
  assert.equal(sample.targets.length, qualityLabels.length * 2);
  assert.equal(sample.mapTargets.length, map.width * map.height * qualityLabels.length * 2);
  for (const value of [...sample.targets, ...sample.mapTargets]) assert.ok(value >= 0 && value <= 1);
});

test('without_photographs_there_is_no_sample', async () => {
  await assert.rejects(renderSample([], 1, 0, raster), /there is no photograph/);
});

for (const [name, [width, height], holds] of [
  ['landscape', [640, 480], ({ side, turn }: Plan) => side > 1 && turn % 180 === 0],
  [
    'portrait',
    [640, 480],
    ({ side, turn, crop }: Plan) => side > 1 && turn % 180 === 90 && crop.wide > 0.95 * crop.high,
  ],
  ['small', [640, 480], ({ side, turn, isEnlarged }: Plan) => side < 0.6 && turn % 180 === 0 && !isEnlarged],
  ['small portrait', [640, 480], ({ side, turn, isEnlarged }: Plan) => side < 0.6 && turn % 180 === 90 && !isEnlarged],
] as const) {
  test(`in_a_${name.replace(' ', '_')}_the_map_says_sharp_where_the_sharp_subject_is_shown`, async () => {
    const photo = makeTexture(width, height);
    const isClear = ({ scene, blur, haze, noise, stops, saves, backgroundSpread }: Plan) =>
      scene === 'soft background' &&
      backgroundSpread > 4 &&
      !blur &&
      !haze &&
      !noise &&
      Math.abs(stops) < 1 &&
      saves.every(({ quality, scale }) => quality > 60 && scale === 1);
    const numbers = findSamples(3, 4, (plan) => isClear(plan) && holds(plan));
    const isPortrait = (index: number) => {
      const random = createRandom(3, index);
      random();
      const crop = measureCrop(photo, drawPlan(random));
      return crop.height > crop.width;
    };
    assert.deepEqual(
      numbers.map(isPortrait),
      numbers.map(() => name.endsWith('portrait')),
    );
    for (const index of numbers) {
      const agreement = measureAgreement(await renderSample([photo], 3, index, raster));
      assert.ok(agreement > 0.93, `sample ${String(index)}: ${String(agreement)}`);
    }
  });
}
