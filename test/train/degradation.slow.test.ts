import assert from 'node:assert/strict';
import test from 'node:test';
import sharp from 'sharp';
import { renderLabelledPictures } from '../../src/train/evaluation/held-out-pictures.ts';
import { type Kind, kinds } from '../../src/train/evaluation/labelled-picture.ts';
import { degradePhoto } from '../../src/train/samples/degradation.ts';
import { mapCells } from '../../src/train/samples/exposure.ts';
import { drawGoldenPictures } from '../../src/train/samples/golden-pictures.ts';
import { qualityLabels, type Target } from '../../src/train/samples/labels.ts';
import { drawLandscape } from '../../src/train/samples/landscape.ts';
import type { Picture } from '../../src/train/samples/photos.ts';
import { drawPlan, type Plan, type SceneKind, untouched } from '../../src/train/samples/plan.ts';
import { createRandom } from '../../src/train/samples/random.ts';

const photo = drawLandscape(5, 320, 240);
const raster = { width: 128, height: 96 };
const sceneKinds: readonly SceneKind[] = [
  'photo',
  'soft background',
  'product',
  'night',
  'page',
  'screen',
  'diagram',
  'wall',
  'blank',
];

const degrade = (change: Partial<Plan>, picture: Picture = photo) =>
  degradePhoto(picture, { ...untouched, ...change }, raster, createRandom(1));

/** Targets by label; undefined where unknown. */
function toValues(targets: readonly Target[]): Record<string, number | undefined> {
  const values = targets.map(({ value, weight }) => (weight === 0 ? undefined : value));
  return Object.fromEntries(qualityLabels.map((label, index) => [label, values[index]]));
}

const label = async (change: Partial<Plan>, picture?: Picture) => toValues((await degrade(change, picture)).targets);

/** A grey picture with a striped patch over a tenth of the frame. */
function makePatched(level: number, patch: number): Picture {
  const pixels = new Uint8Array(200 * 200 * 3).fill(level);
  for (let at = 0; at < 200 * 20; at += 1) pixels.fill(at % 8 < 4 ? patch : level, at * 3, at * 3 + 3);
  return { pixels, width: 200, height: 200 };
}

test('every_scene_is_rendered_from_photographs_of_any_size', async () => {
  for (const [width, height] of [
    [1, 1],
    [1, 50],
    [639, 1],
    [37, 23],
  ] as const) {
    const odd = drawLandscape(1, width, height);
    for (const scene of sceneKinds) {
      for (const blur of [undefined, { kind: 'motion', spread: 4 }] as const) {
        const plan = { scene, backgroundSpread: 4, turn: 90, crop: { wide: 0.6, high: 0.9, left: 1, top: 1 } } as const;
        const what = `${scene} of ${String(width)} × ${String(height)}`;
        const { bytes, size, targets, cells } = await degrade(
          { ...plan, ...(blur && { blur }), noise: { deviation: 5, readShare: 0.1, greyShare: 0.5, grain: 1.5 } },
          odd,
        );
        const found = await sharp(bytes).metadata();
        assert.deepEqual([found.width, found.height], [size.width, size.height], what);
        assert.equal(cells.length, mapCells.columns * mapCells.rows, what);
        for (const { value, weight } of [targets, ...cells].flat()) assert.ok(value >= 0 && value <= 1 && weight >= 0);
      }
    }
  }
});

test('the_same_plan_and_seed_give_the_same_bytes', async () => {
  const render = (seed: number) =>
    Promise.all(
      [0, 1, 2, 3, 4, 5].map(async (stream) => {
        const random = createRandom(seed, stream);
        return (await degradePhoto(photo, drawPlan(random), raster, random)).bytes.toString('base64');
      }),
    );
  const [first, again, other] = [await render(7), await render(7), await render(8)];
  assert.deepEqual(again, first);
  assert.equal(new Set([...first, ...other]).size, 12);
});

test('plans_cover_every_scene_format_and_fault_and_good_pictures', () => {
  const random = createRandom(2);
  const plans = Array.from({ length: 3000 }, () => drawPlan(random));
  assert.deepEqual([...new Set(plans.map(({ scene }) => scene))].sort(), [...sceneKinds].sort());
  assert.equal(new Set(plans.map(({ format }) => format)).size, 3);
  assert.equal(new Set(plans.map(({ turn }) => turn)).size, 4);
  const share = (holds: (plan: Plan) => boolean) => plans.filter(holds).length / plans.length;
  const isGood = ({ blur, haze, noise, stops, saves }: Plan) =>
    !blur && !haze && !noise && Math.abs(stops) < 1 && saves.every(({ quality }) => quality >= 60);
  for (const [name, holds] of Object.entries({
    good: isGood,
    blur: ({ blur }: Plan) => blur !== undefined,
    haze: ({ haze }: Plan) => haze !== undefined,
    noise: ({ noise }: Plan) => noise !== undefined,
    dark: ({ stops }: Plan) => stops < -2,
    bright: ({ stops }: Plan) => stops > 2,
    bad: ({ saves }: Plan) => saves.some(({ quality }) => quality < 30),
  })) {
    assert.ok(share(holds) > 0.05 && share(holds) < 0.6, `${name}: ${String(share(holds))}`);
  }
});

test('a_good_photograph_has_no_label', async () => {
  const values = await label({});
  for (const [name, value] of Object.entries(values)) assert.equal(value, 0, name);
});

test('a_fault_is_labelled_by_its_strength', async () => {
  const blur = (spread: number) => ({ blur: { kind: 'disc', spread } }) as const;
  assert.deepEqual([(await label(blur(0.5)))['blurry'], (await label(blur(4)))['blurry']], [0, 1]);
  const noise = (deviation: number) => ({ noise: { deviation, readShare: 0.1, greyShare: 1, grain: 1 } });
  assert.deepEqual([(await label(noise(3)))['noisy'], (await label(noise(50)))['noisy']], [0, 1]);
  const save = (quality: number) => ({ side: 0.9, saves: [{ quality, scale: 1 }] });
  assert.deepEqual([(await label(save(60)))['blocky'], (await label(save(5)))['blocky']], [0, 1]);
  const haze = (share: number) => ({ haze: { share, towards: 180 } });
  assert.deepEqual([(await label(haze(0.95)))['low_contrast'], (await label(haze(0.15)))['low_contrast']], [0, 1]);
});

test('a_black_and_a_white_picture_are_blank_and_their_sharpness_is_not_judged', async () => {
  for (const [stops, name] of [
    [-14, 'dark'],
    [14, 'overexposed'],
  ] as const) {
    const values = await label({ stops, blur: { kind: 'disc', spread: 3 } });
    assert.deepEqual(
      [values[name], values['blurry'], values['noisy'], values['blocky']],
      [1, undefined, undefined, undefined],
    );
  }
});

test('a_night_scene_is_dark_only_once_its_lights_are_gone', async () => {
  const night = makePatched(4, 200);
  assert.equal((await label({}, night))['dark'], 0);
  assert.equal((await label({ stops: -1 }, night))['dark'], 0);
  assert.equal((await label({ stops: -8 }, night))['dark'], 1);
});

test('a_white_page_is_overexposed_only_once_its_print_is_gone', async () => {
  const page = makePatched(255, 40);
  assert.equal((await label({}, page))['overexposed'], 0);
  assert.equal((await label({ stops: 0.6 }, page))['overexposed'], 0);
  assert.equal((await label({ stops: 8 }, page))['overexposed'], 1);
});

test('a_soft_background_makes_cells_blurry_and_not_the_picture', async () => {
  const { targets, cells } = await degrade({ scene: 'soft background', backgroundSpread: 5 });
  assert.deepEqual(targets[0], { value: 0, weight: 1 });
  const blurry = cells.filter(([cell]) => cell?.value === 1).length;
  assert.ok(blurry > cells.length / 4 && blurry < cells.length, `${String(blurry)} of ${String(cells.length)}`);
});

test('noise_and_blocks_that_scaling_down_averages_out_count_less', async () => {
  const noise = { deviation: 30, readShare: 0.1, greyShare: 1, grain: 1 };
  const at = async (side: number) => (await degrade({ side, noise, saves: [{ quality: 20, scale: 1 }] })).strength;
  const [large, small] = [await at(2), await at(0.9)];
  assert.ok(large.noise < 0.65 * small.noise, `${String(large.noise)}, ${String(small.noise)}`);
  assert.ok(large.quality > 1.5 * small.quality);
});

test('a_save_at_another_size_changes_the_size_and_strengths_in_pixels', async () => {
  const plan = { side: 0.8, blur: { kind: 'disc', spread: 3 } } as const;
  const as = (scale: number) => degrade({ ...plan, saves: [{ quality: 90, scale }] });
  const [same, smaller] = [await as(1), await as(0.5)];
  assert.ok(Math.abs(smaller.size.width - same.size.width / 2) <= 1, String(smaller.size.width));
  assert.ok(Math.abs(smaller.strength.blur / same.strength.blur - 0.5) < 0.02, String(smaller.strength.blur));
});

test('golden_pictures_are_reproducible_and_all_different', async () => {
  const [first, again] = [await drawGoldenPictures(), await drawGoldenPictures()];
  assert.deepEqual(first, again);
  assert.deepEqual(
    first.map(({ name }) => name),
    ['sharp', 'blurred', 'dark', 'overexposed', 'noisy', 'blocky'],
  );
  assert.equal(new Set(first.map(({ bytes }) => bytes.toString('base64'))).size, first.length);
});

test('held_out_pictures_have_every_kind_in_levels_from_harmless_to_strongest', async () => {
  const scene = { ...drawLandscape(3, 200, 150), source: { origin: 'code', licence: 'none' } };
  const photos = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ ...scene, file: `${name}.jpg` }));
  const labelOf: Partial<Record<Kind, number>> = {
    defocus: 0,
    motion: 0,
    underexposure: 1,
    overexposure: 2,
    'low contrast': 3,
    noise: 4,
    compression: 5,
  };
  const found = new Map<Kind, { level: number; target: Target }[]>();
  for await (const { kind, level, targets } of renderLabelledPictures(photos, 4)) {
    const target = targets[labelOf[kind] ?? 6];
    assert.ok(target, kind);
    found.set(kind, [...(found.get(kind) ?? []), { level, target }]);
  }
  assert.deepEqual([...found.keys()].sort(), [...kinds].sort());
  for (const kind of Object.keys(labelOf) as Kind[]) {
    const ofKind = found.get(kind) ?? [];
    const valuesAt = (wanted: number) =>
      ofKind.filter(({ level, target }) => level === wanted && target.weight > 0).map(({ target }) => target.value);
    assert.deepEqual([...new Set(ofKind.map(({ level }) => level))].sort(), [0, 1, 2, 3, 4], kind);
    const means = [0, 1, 2, 3, 4].map((level) => {
      const values = valuesAt(level);
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    });
    assert.deepEqual(
      means,
      [...means].sort((one, other) => one - other),
      kind,
    );
    assert.ok((means[0] ?? 1) < 0.2 && (means[4] ?? 0) > 0.8, `${kind}: ${means.join(', ')}`);
  }
});
