import assert from 'node:assert/strict';
import test from 'node:test';
import sharp from 'sharp';
import type { CheckRequest, CheckResult, ImageResult } from '../../src/check/types.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { createSetting, hasCode, makeColour, toRequest } from './setting.ts';

const blue = await makeColour(0, 0, 255);
const red = await makeColour(255, 0, 0);

type Checked = Extract<ImageResult, { kind: 'checked' }>;

function toOnly({ images }: CheckResult): Checked {
  const [image] = images;
  assert.ok(image?.kind === 'checked');
  return image;
}

type Wanted = Partial<Pick<CheckRequest, 'rules' | 'policy'>> & { readonly models?: readonly string[] };

interface Judging {
  /** Checks one picture. */
  readonly check: (bytes: Uint8Array, wanted?: Wanted) => Promise<Checked>;
  readonly metrics: () => Promise<string>;
}

async function startJudging(
  context: test.TestContext,
  options: Readonly<Record<string, unknown>>,
  ...models: readonly Parameters<typeof writeColourModel>[1][]
): Promise<Judging> {
  const dir = makeTempDir(context);
  for (const model of models.length > 0 ? models : [{}]) await writeColourModel(dir, model);
  const { services, registry } = createSetting(dir, options);
  return {
    check: async (bytes, { models = [], ...asked } = {}) =>
      toOnly(await services.checkService.check(toRequest([['x', bytes]], models, asked))),
    metrics: () => registry.metrics(),
  };
}

test('a_broken_rule_rejects_a_picture_that_the_model_accepts_and_the_model_still_says_why', async (context) => {
  const rules = { avatar: { minWidth: 200, maxWidth: 4000 }, look: { minWidth: 200, verdict: 'review' } };
  const { check, metrics } = await startJudging(context, { rules });
  const plain = await check(blue);
  assert.deepEqual([plain.verdict, 'rules' in plain], ['accept', false]);
  const { verdict, rules: told, checks } = await check(blue, { rules: ['avatar'] });
  assert.equal(verdict, 'reject');
  assert.deepEqual(told, [
    { rule: 'minWidth', limit: 200, actual: 40, verdict: 'reject' },
    { rule: 'maxWidth', limit: 4000, actual: 40, verdict: 'accept' },
  ]);
  assert.deepEqual(checks, plain.checks);
  assert.equal((await check(blue, { rules: ['look'] })).verdict, 'review');
  assert.equal((await check(red, { rules: ['look'] })).verdict, 'reject', 'the worst wins');
  const text = await metrics();
  assert.match(text, /image_check_rules_total\{rule="minWidth",verdict="reject"\} 1\n/);
  assert.match(text, /image_check_rules_total\{rule="minWidth",verdict="review"\} 2\n/);
});

test('the_profile_default_holds_for_requests_that_name_none', async (context) => {
  const { check } = await startJudging(context, { rules: { default: { formats: ['jpeg'] }, any: {} } });
  assert.equal((await check(blue)).verdict, 'reject');
  assert.deepEqual((await check(blue, { rules: ['any'] })).verdict, 'accept');
});

test('sizes_are_those_of_the_upright_picture', async (context) => {
  const { check } = await startJudging(context, { rules: { wide: { minWidth: 40, minAspect: 1 } } });
  const turned = await sharp(blue).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const { rules } = await check(turned, { rules: ['wide'] });
  assert.deepEqual(
    rules?.map(({ actual, verdict }) => [actual, verdict]),
    [
      [30, 'reject'],
      [0.75, 'reject'],
    ],
  );
});

test('animated_pictures_are_told_from_still_ones', async (context) => {
  const { check } = await startJudging(context, { rules: { still: { animated: false } } });
  const animation = sharp([blue, red], { join: { animated: true } });
  for (const bytes of [await animation.clone().gif().toBuffer(), await animation.clone().webp().toBuffer()]) {
    assert.equal((await check(bytes, { rules: ['still'] })).verdict, 'reject');
  }
  assert.equal((await check(await sharp(blue).gif().toBuffer(), { rules: ['still'] })).verdict, 'accept');
});

test('an_image_that_does_not_decode_is_an_error_whatever_the_rules_say', async (context) => {
  const { check } = await startJudging(context, { rules: { tiny: { maxWidth: 1 } } });
  await assert.rejects(check(blue.subarray(0, 60), { rules: ['tiny'] }), hasCode('ERR_IMAGE_CORRUPT'));
  await assert.rejects(check(Buffer.from('<svg/>'), { rules: ['tiny'] }), hasCode('ERR_IMAGE_UNSUPPORTED'));
});

test('unknown_rules_and_policies_are_refused_before_any_decoding', async (context) => {
  const { check } = await startJudging(context, { rules: { avatar: {} } });
  const junk = Buffer.from('no picture');
  await assert.rejects(check(junk, { rules: ['avatars'] }), hasCode('ERR_RULES_UNKNOWN'));
  await assert.rejects(check(junk, { policy: 'strict' }), hasCode('ERR_POLICY_UNKNOWN'));
  await assert.rejects(check(junk, { policy: 'Default' }), /no policy Default; known: default$/);
  await assert.rejects(check(junk, { models: ['shape'], rules: ['x'], policy: 'y' }), hasCode('ERR_MODEL_UNKNOWN'));
});

const input = { width: 64, height: 48, resize: 'stretch', normalise: { scale: 1 / 255, offset: 0 } };

test('a_picture_too_small_for_a_model_gets_no_labels_and_waits_for_a_person', async (context) => {
  // 8 × 8 pixels are the network's; what the manifest says of it is what counts.
  const small = { input: { width: 8, height: 8, resize: 'stretch', minSide: 17, normalise: input.normalise } };
  const { check, metrics } = await startJudging(context, {}, { manifest: small }, { name: 'other' });
  const bytes = await makeColour(255, 0, 0, 24, 16);
  const { verdict, rules, checks } = await check(bytes);
  assert.equal(verdict, 'review');
  assert.deepEqual(rules, [{ rule: 'too_small', limit: 17, actual: 16, verdict: 'review', model: 'colour' }]);
  assert.deepEqual(checks, [{ model: 'colour', version: '1', engine: 'wasm', verdict: 'review', labels: [] }]);
  const both = await check(bytes, { models: ['colour', 'other'] });
  assert.deepEqual(
    both.checks.map(({ labels }) => labels.length),
    [0, 3],
  );
  assert.deepEqual([both.rules?.length, both.verdict], [1, 'reject']);
  assert.equal('rules' in (await check(await makeColour(255, 0, 0, 24, 17))), false);
  const text = await metrics();
  assert.match(text, /image_check_rules_total\{rule="too_small",verdict="review"\} 2\n/);
  assert.match(text, /image_check_checks_total\{model="colour",verdict="review"\} 2\n/);
});

test('without_a_word_in_the_manifest_an_eighth_of_the_input_is_the_least', async (context) => {
  // The network wants 8 × 8 and would fail: nothing reaches it.
  const { check } = await startJudging(context, {}, { manifest: { input, golden: [] } });
  const { rules } = await check(await makeColour(0, 0, 255, 200, 5));
  assert.deepEqual(rules, [{ rule: 'too_small', limit: 6, actual: 5, verdict: 'review', model: 'colour' }]);
});

test('a_damaged_picture_is_an_error_also_where_it_is_too_small', async (context) => {
  const small = { input: { ...input, width: 8, height: 8, minSide: 100 } };
  const { check } = await startJudging(context, {}, { manifest: small });
  assert.equal((await check(blue)).verdict, 'review');
  await assert.rejects(check(blue.subarray(0, -20)), hasCode('ERR_IMAGE_CORRUPT'));
});

test('a_policy_of_the_manifest_or_the_configuration_judges_and_is_told', async (context) => {
  const models = [
    { manifest: { policies: { strict: { blue: { reject: 0.5 } } } } },
    { name: 'other', policy: { blue: { review: 0.5 } } },
  ];
  const policies = { own: { colour: { blue: { review: 0.9 } } }, strict: {} };
  const { check } = await startJudging(context, { policies }, ...models);
  const told = async (wanted: Wanted): Promise<unknown> =>
    (await check(blue, { models: ['colour', 'other'], ...wanted })).checks.map(({ policy, verdict }) => [
      policy,
      verdict,
    ]);
  assert.deepEqual(await told({}), [
    [undefined, 'accept'],
    [undefined, 'review'],
  ]);
  assert.deepEqual(await told({ policy: 'default' }), [
    ['default', 'accept'],
    ['default', 'review'],
  ]);
  assert.deepEqual(await told({ policy: 'strict' }), [
    ['strict', 'reject'],
    ['default', 'review'],
  ]);
  assert.deepEqual(await told({ policy: 'own' }), [
    ['own', 'review'],
    ['default', 'review'],
  ]);
  const { checks } = await check(blue, { policy: 'strict' });
  const thresholds = checks[0]?.labels.map(({ label, thresholds }) => [label, thresholds]);
  assert.deepEqual(thresholds, [
    ['red', { review: 0.5, reject: 0.9 }],
    ['green', undefined],
    ['blue', { reject: 0.5 }],
  ]);
});

test('a_policy_that_only_another_model_has_is_unknown', async (context) => {
  const models = [{ manifest: { policies: { strict: { blue: { reject: 0.5 } } } } }, { name: 'other' }];
  const { check } = await startJudging(context, {}, ...models);
  await assert.rejects(check(blue, { models: ['other'], policy: 'strict' }), hasCode('ERR_POLICY_UNKNOWN'));
  assert.equal((await check(blue, { models: ['other', 'colour'], policy: 'strict' })).verdict, 'reject');
});

test('the_policy_of_the_configuration_holds_where_a_request_names_none', async (context) => {
  const options = { 'check.policy': 'own', policies: { own: { colour: { blue: { reject: 0.5 } } } } };
  const { check } = await startJudging(context, options, {}, { name: 'other' });
  assert.deepEqual([(await check(blue)).verdict, (await check(blue)).checks[0]?.policy], ['reject', 'own']);
  assert.equal((await check(blue, { policy: 'default' })).verdict, 'accept');
  const [other] = (await check(blue, { models: ['other'] })).checks;
  assert.deepEqual([other?.policy, other?.verdict], ['default', 'accept']);
});
