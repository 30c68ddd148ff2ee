import assert from 'node:assert/strict';
import test from 'node:test';
import { findProfiles, judgeRules, type RuledPicture } from '../../src/check/picture-rules.ts';
import { configSchema } from '../../src/config/schema.ts';
import { hasCode } from './setting.ts';

const landscape: RuledPicture = { format: 'jpeg', width: 1600, height: 900, bytes: 1, isAnimated: false };

function toProfiles(rules: object): ReturnType<typeof configSchema.parse>['rules'] {
  return configSchema.parse({ rules }).rules;
}

function judge(rules: object, picture: Partial<RuledPicture> = {}): ReturnType<typeof judgeRules> {
  const [profile] = findProfiles(toProfiles({ own: rules }), ['own']);
  assert.ok(profile);
  return judgeRules(profile, { ...landscape, ...picture });
}

const broken: readonly (readonly [object, Partial<RuledPicture>, unknown])[] = [
  [{ minWidth: 1601 }, {}, { rule: 'minWidth', limit: 1601, actual: 1600 }],
  [{ minHeight: 901 }, {}, { rule: 'minHeight', limit: 901, actual: 900 }],
  [{ maxWidth: 1599 }, {}, { rule: 'maxWidth', limit: 1599, actual: 1600 }],
  [{ maxHeight: 899 }, {}, { rule: 'maxHeight', limit: 899, actual: 900 }],
  [{ minAspect: 1.7779 }, {}, { rule: 'minAspect', limit: 1.7779, actual: 1.7778 }],
  [{ maxAspect: 1.7777 }, {}, { rule: 'maxAspect', limit: 1.7777, actual: 1.7778 }],
  [{ formats: ['png', 'webp'] }, {}, { rule: 'formats', limit: ['png', 'webp'], actual: 'jpeg' }],
  [{ animated: false }, { isAnimated: true }, { rule: 'animated', limit: false, actual: true }],
  [{ animated: true }, {}, { rule: 'animated', limit: true, actual: false }],
];
for (const [rules, picture, result] of broken) {
  test(`${JSON.stringify(rules)} rejects what breaks it, and says limit and actual`, () => {
    assert.deepEqual(judge(rules, picture), [{ ...(result as object), verdict: 'reject' }]);
    const [reviewed] = judge({ ...rules, verdict: 'review' }, picture);
    assert.equal(reviewed?.verdict, 'review');
  });
}

const kept: readonly (readonly [object, Partial<RuledPicture>])[] = [
  [{ minWidth: 1600, maxWidth: 1600 }, {}],
  [{ minHeight: 900, maxHeight: 900 }, {}],
  [{ minAspect: 1.7778, maxAspect: 1.7778 }, {}],
  [{ minAspect: 16 / 9, maxAspect: 16 / 9 }, {}],
  [
    { minAspect: 0.5625, maxAspect: 0.5625 },
    { width: 900, height: 1600 },
  ],
  [{ formats: ['png', 'jpeg'] }, {}],
  [{ animated: false }, {}],
  [{ animated: true }, { isAnimated: true }],
];
for (const [rules, picture] of kept) {
  test(`${JSON.stringify(rules)} accepts what just fits`, () => {
    const results = judge(rules, picture);
    assert.deepEqual(
      results.map(({ verdict }) => verdict),
      Object.keys(rules).map(() => 'accept'),
    );
  });
}

test('a_profile_without_rules_says_nothing', () => {
  assert.deepEqual(judge({}), []);
});

test('without_a_name_the_profile_default_holds_where_there_is_one', () => {
  const profiles = toProfiles({ default: { minWidth: 10 }, avatar: { minWidth: 200 } });
  assert.deepEqual(
    findProfiles(profiles, []).map(({ minWidth }) => minWidth),
    [10],
  );
  assert.deepEqual(findProfiles(toProfiles({ avatar: {} }), []), []);
  assert.deepEqual(findProfiles(toProfiles({}), []), []);
});

test('several_profiles_are_found_in_the_order_of_their_names_and_default_only_by_name', () => {
  const profiles = toProfiles({ default: { minWidth: 1 }, a: { minWidth: 2 }, b: { minWidth: 3 } });
  const widths = (...asked: string[]): unknown[] => findProfiles(profiles, asked).map(({ minWidth }) => minWidth);
  assert.deepEqual(widths('b', 'a'), [3, 2]);
  assert.deepEqual(widths('a', 'default'), [2, 1]);
});

test('an_unknown_profile_is_an_error_that_names_those_that_there_are', () => {
  const profiles = toProfiles({ avatar: {}, banner: {} });
  for (const name of ['avatars', 'Avatar', 'constructor', '__proto__', 'toString', 'a'.repeat(1000)]) {
    assert.throws(() => findProfiles(profiles, ['avatar', name]), hasCode('ERR_RULES_UNKNOWN'), name);
  }
  assert.throws(() => findProfiles(profiles, ['logo']), /no rules logo; known: avatar, banner$/);
  assert.throws(() => findProfiles(toProfiles({}), ['avatar']), /no rules avatar; known: none$/);
});
