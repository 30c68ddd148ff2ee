import assert from 'node:assert/strict';
import test from 'node:test';
import { type Content, qualityLabels, type Strength, toShare, toTargets } from '../../src/train/samples/labels.ts';

/** A good picture. */
const good: Strength = { blur: 0, black: 0, white: 0, rangeBefore: 200, range: 200, noise: 0, quality: 92 };

/** Values by label, without the unknown ones. */
function label(change: Partial<Strength>, content: Content = { kind: 'picture' }): Record<string, number> {
  const targets = toTargets({ ...good, ...change }, content);
  assert.equal(targets.length, qualityLabels.length);
  for (const { value, weight } of targets) assert.ok(value >= 0 && value <= 1 && (weight === 0 || weight === 1));
  const known = qualityLabels.map((name, index) => [name, targets[index]] as const);
  return Object.fromEntries(known.flatMap(([name, target]) => (target?.weight === 1 ? [[name, target.value]] : [])));
}

const blank = (luma: number): Content => ({ kind: 'blank', luma });
const none = { blurry: 0, dark: 0, overexposed: 0, low_contrast: 0, noisy: 0, blocky: 0, blank: 0 };

test('a_good_picture_has_no_label', () => {
  assert.deepEqual(label({}), none);
});

const ranges: readonly (readonly [string, keyof Strength, readonly [number, number]])[] = [
  ['blurry', 'blur', [0.75, 1.5]],
  ['dark', 'black', [0.4, 0.8]],
  ['overexposed', 'white', [0.2, 0.5]],
  ['low_contrast', 'range', [110, 70]],
  ['noisy', 'noise', [5, 12]],
  ['blocky', 'quality', [34, 12]],
];

for (const [name, strength, [from, to]] of ranges) {
  test(`${name}_rises_with_its_strength_and_stays_between_none_and_all`, () => {
    const at = (share: number) => label({ [strength]: from + share * (to - from) })[name] ?? Number.NaN;
    assert.deepEqual([-0.5, 0, 1, 1.2].map(at), [0, 0, 1, 1]);
    assert.ok(Math.abs(at(0.5) - 0.5) < 1e-9 && Math.abs(at(0.25) - 0.25) < 1e-9);
  });
}

test('after_a_large_exposure_loss_only_exposure_is_judged', () => {
  const faults = { blur: 3, noise: 20, quality: 10, range: 30 };
  assert.deepEqual(label({ ...faults, black: 0.6 }), { dark: toShare(0.6, [0.4, 0.8]), overexposed: 0, blank: 0 });
  assert.deepEqual(Object.keys(label({ ...faults, white: 0.6 })), ['dark', 'overexposed', 'blank']);
});

test('nearly_blank_pictures_have_an_unknown_target_of_blank', () => {
  assert.equal(label({ black: 0.97 })['blank'], undefined);
  assert.equal(label({ range: 8 })['blank'], undefined);
  assert.deepEqual([label({ black: 1 })['blank'], label({ white: 1 })['blank']], [1, 1]);
  assert.equal(label({ black: 0.9 })['blank'], 0);
});

test('a_wall_has_unknown_targets_of_noise_contrast_and_blocks', () => {
  const plain: Content = { kind: 'plain' };
  assert.deepEqual(label({ range: 20, noise: 9, quality: 10 }, plain), { blurry: 0, dark: 0, overexposed: 0 });
  assert.deepEqual(Object.keys(label({ blur: 4 }, plain)), ['dark', 'overexposed'], 'a blurred wall looks like a wall');
});

test('a_photograph_with_little_contrast_of_its_own_is_not_judged_by_its_contrast', () => {
  assert.equal(label({ rangeBefore: 90, range: 88 })['low_contrast'], undefined);
  assert.equal(label({ rangeBefore: 100, range: 40 })['low_contrast'], 1);
  assert.equal(label({ range: 60, black: 0.2, white: 0.2 })['low_contrast'], undefined);
});

test('noise_is_unknown_after_strong_compression', () => {
  assert.equal(label({ noise: 15, quality: 35 })['noisy'], 1);
  assert.equal(label({ noise: 15, quality: 20 })['noisy'], undefined);
});

test('a_blank_picture_is_dark_or_overexposed_by_its_brightness', () => {
  assert.deepEqual(label({}, blank(3)), { dark: 1, overexposed: 0, blank: 1 });
  assert.deepEqual(label({}, blank(40)), { overexposed: 0, blank: 1 });
  assert.deepEqual(label({}, blank(128)), { dark: 0, overexposed: 0, blank: 1 });
  assert.deepEqual(label({}, blank(235)), { dark: 0, blank: 1 });
  assert.deepEqual(label({}, blank(250)), { dark: 0, overexposed: 1, blank: 1 });
});

test('a_pale_drawing_that_turned_white_is_not_overexposed_until_most_is_lost', () => {
  const drawn: Content = { kind: 'drawn' };
  assert.equal(label({ white: 0.4 }, drawn)['overexposed'], 0);
  assert.ok((label({ white: 0.4 })['overexposed'] ?? 0) > 0.5);
  assert.equal(label({ white: 0.6 }, drawn)['overexposed'], undefined);
});
