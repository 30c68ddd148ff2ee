import assert from 'node:assert/strict';
import test from 'node:test';
import { degradePhoto, drawDegradation, untouched } from '../../src/train/degradation.ts';
import { toTargets } from '../../src/train/labels.ts';
import type { Picture } from '../../src/train/photos.ts';
import { createRandom } from '../../src/train/random.ts';
import { drawScene } from '../../src/train/scene.ts';

const scene = drawScene(5, 120, 80);

/** Labels of a degraded picture as numbers: undefined where nobody can tell. */
async function labelPicture(picture: Picture, change: object): Promise<(number | undefined)[]> {
  const { strength } = await degradePhoto(picture, { ...untouched, ...change });
  return toTargets(strength).map(({ value, weight }) => (weight === 0 ? undefined : value));
}

/** A picture of one level with a patch of another, a tenth of the frame. */
function makePatched(level: number, patch: number): Picture {
  const pixels = new Uint8Array(100 * 100 * 3).fill(level);
  return { pixels: pixels.fill(patch, 0, 100 * 10 * 3), width: 100, height: 100 };
}

test('a_seed_degrades_a_picture_to_the_same_bytes_again', async () => {
  const draw = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 8 }, () => drawDegradation(random));
  };
  const render = (seed: number) => Promise.all(draw(seed).map((degradation) => degradePhoto(scene, degradation)));
  const [first, again, other] = [await render(7), await render(7), await render(8)];
  assert.deepEqual(again, first);
  assert.equal(new Set([...first, ...other].map(({ jpeg }) => jpeg.toString('base64'))).size, 16);
});

test('streams_of_one_seed_differ', () => {
  assert.notEqual(createRandom(1, 0)(), createRandom(1, 1)());
});

test('every_kind_of_damage_is_drawn_and_good_pictures_too', async () => {
  const random = createRandom(3);
  const seen = new Set<string>();
  for (let draw = 0; draw < 60; draw += 1) {
    const targets = toTargets((await degradePhoto(scene, drawDegradation(random))).strength);
    seen.add(targets.map(({ value }) => (value >= 0.5 ? 1 : 0)).join(''));
  }
  for (const kind of ['000', '100', '010', '001']) assert.ok(seen.has(kind), `${kind} of ${[...seen].join(' ')}`);
});

test('blurry_rises_with_the_strength_of_the_blur', async () => {
  const labels = await Promise.all(
    [0, 0.002, 0.004, 0.006, 0.02, 0.3].map(async (blur) => (await labelPicture(scene, { blur }))[0] ?? -1),
  );
  assert.deepEqual([labels[0], labels[1], labels[4], labels[5]], [0, 0, 1, 1]);
  assert.ok(labels.every((label, index) => index === 0 || label >= (labels[index - 1] ?? 0)));
  assert.ok((labels[2] ?? 0) > 0 && (labels[3] ?? 1) < 1 && (labels[2] ?? 0) < (labels[3] ?? 0));
});

test('an_untouched_picture_has_no_label', async () => {
  assert.deepEqual(await labelPicture(scene, {}), [0, 0, 0]);
});

test('a_black_picture_is_dark_and_its_sharpness_is_not_judged', async () => {
  assert.deepEqual(await labelPicture(scene, { gain: 0 }), [undefined, 1, 0]);
  assert.deepEqual(await labelPicture(scene, { gain: 0.05, blur: 0.05 }), [undefined, 1, 0]);
});

test('a_white_picture_is_overexposed_and_its_sharpness_is_not_judged', async () => {
  assert.deepEqual(await labelPicture(scene, { gain: 0, offset: 255 }), [undefined, 0, 1]);
  assert.deepEqual(await labelPicture(scene, { gain: 12, offset: 100 }), [undefined, 0, 1]);
});

test('a_night_scene_is_dark_only_once_its_lights_are_gone', async () => {
  const night = makePatched(4, 200);
  assert.equal((await labelPicture(night, {}))[1], 0);
  assert.equal((await labelPicture(night, { gain: 0.5 }))[1], 0);
  assert.equal((await labelPicture(night, { gain: 0.05 }))[1], 1);
});

test('a_white_page_is_overexposed_only_once_its_print_is_gone', async () => {
  const page = makePatched(255, 40);
  assert.equal((await labelPicture(page, {}))[2], 0);
  assert.equal((await labelPicture(page, { gain: 1.5 }))[2], 0);
  assert.equal((await labelPicture(page, { gain: 8 }))[2], 1);
});
