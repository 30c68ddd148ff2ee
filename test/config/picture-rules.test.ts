import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { ExitError } from '../../src/errors.ts';
import { assertPolicies } from '../../src/model/configured-policies.ts';
import { loadModelStore } from '../../src/model/model-store.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

function load(context: test.TestContext, yaml: string, environment: NodeJS.ProcessEnv = {}): LoadedConfig {
  const rootDir = makeTempDir(context);
  const file = path.join(rootDir, 'own.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ rootDir, environment, file });
}

test('profiles_have_their_own_names_and_reject_unless_they_say_review', (context) => {
  const { config } = load(
    context,
    `rules:
  avatar: { minWidth: 200, maxAspect: 1.25, formats: [jpeg, png], animated: false }
  large-enough: { minWidth: 1200, verdict: review }
  none: {}
`,
  );
  assert.deepEqual(config.rules, {
    avatar: { minWidth: 200, maxAspect: 1.25, formats: ['jpeg', 'png'], animated: false, verdict: 'reject' },
    'large-enough': { minWidth: 1200, verdict: 'review' },
    none: { verdict: 'reject' },
  });
});

test('policies_are_thresholds_by_policy_model_and_label', (context) => {
  const { config } = load(
    context,
    'check: { policy: strict }\npolicies: { strict: { quality: { blurry: { review: 0.1 } } } }',
  );
  assert.equal(config.check.policy, 'strict');
  assert.deepEqual(config.policies, { strict: { quality: { blurry: { review: 0.1 } } } });
});

test('a_mapping_can_be_set_by_its_variable_and_goes_over_the_file_as_a_whole', (context) => {
  const environment = { IMAGE_CHECK_RULES: '{"icon": {"maxWidth": 64}}' };
  const { config, settings } = load(context, 'rules: { avatar: { minWidth: 200 } }', environment);
  assert.deepEqual(config.rules, { icon: { maxWidth: 64, verdict: 'reject' } });
  assert.equal(settings.find(({ option }) => option.path === 'rules')?.source, 'IMAGE_CHECK_RULES');
});

const wrong: readonly (readonly [yaml: string, fault: RegExp])[] = [
  ['rules: { avatar: { minWith: 200 } }', /rules\.avatar: Unrecognized key: "minWith" \(.*own\.yaml\)/],
  ['rules: { avatar: { minWidth: wide } }', /rules\.avatar\.minWidth: .*expected number, received string/],
  ['rules: { avatar: { minWidth: 0 } }', /rules\.avatar\.minWidth: /],
  ['rules: { avatar: { minWidth: 1.5 } }', /rules\.avatar\.minWidth: .*expected int/],
  ['rules: { avatar: { minWidth: } }', /rules\.avatar\.minWidth: .*received null/],
  ['rules: { avatar: { minAspect: 0 } }', /rules\.avatar\.minAspect: /],
  ['rules: { avatar: { minAspect: "16:9" } }', /rules\.avatar\.minAspect: .*received string/],
  ['rules: { avatar: { formats: [] } }', /rules\.avatar\.formats: /],
  ['rules: { avatar: { formats: jpeg } }', /rules\.avatar\.formats: .*expected array/],
  ['rules: { avatar: { formats: [jpg] } }', /rules\.avatar\.formats\.0: .*"jpeg"/],
  ['rules: { avatar: { animated: no way } }', /rules\.avatar\.animated: .*expected boolean/],
  ['rules: { avatar: { verdict: accept } }', /rules\.avatar\.verdict: .*"review"\|"reject"/],
  ['rules: { avatar: { minWidth: 9, maxWidth: 8 } }', /rules\.avatar\.minWidth: is above maxWidth: no picture fits/],
  ['rules: { avatar: { minAspect: 2, maxAspect: 1 } }', /rules\.avatar\.minAspect: is above maxAspect/],
  ['rules: { "an avatar": {} }', /rules\.an avatar: the name must be letters, digits, - and _/],
  ['rules: { "a,b": {} }', /rules\.a,b: the name must be/],
  ['rules: { avatar: 200 }', /rules\.avatar: .*expected object/],
  ['rules: [avatar]', /rules: .*expected record/],
  ['rules: { avatar: { default: true } }', /rules\.avatar: Unrecognized key: "default"/],
  ['policies: { strict: { quality: { blurry: 0.5 } } }', /policies\.strict\.quality\.blurry: .*expected object/],
  ['policies: { strict: { quality: { blurry: { review: 2 } } } }', /policies\.strict\.quality\.blurry\.review: /],
  ['policies: { strict: { quality: { blurry: { rewiev: 1 } } } }', /policies\.strict\.quality\.blurry: .*"rewiev"/],
  ['policies: { "!": {} }', /policies\.!: the name must be/],
  ['check: { policy: a b }', /check\.policy: "a b" is not within text/],
];
for (const [yaml, fault] of wrong) {
  test(`refused by name and place: ${yaml}`, (context) => {
    assert.throws(
      () => load(context, yaml),
      (thrown) => {
        assert.ok(thrown instanceof ExitError);
        assert.equal(thrown.exitCode, 78);
        assert.match(thrown.message, fault);
        assert.doesNotMatch(thrown.message, /\n/);
        return true;
      },
    );
  });
}

test('text_that_is_no_yaml_names_the_variable', (context) => {
  assert.throws(
    () => load(context, '', { IMAGE_CHECK_RULES: '{avatar: {' }),
    (thrown) => thrown instanceof ExitError && /^configuration: rules: .*\(IMAGE_CHECK_RULES\)$/.test(thrown.message),
  );
});

test('several_faults_are_told_at_once_each_once', (context) => {
  const yaml = 'rules: { a: { minWidth: 0 }, b: { formats: [x, y] } }\nworkers: many';
  assert.throws(
    () => load(context, yaml),
    (thrown) => {
      assert.ok(thrown instanceof ExitError);
      for (const place of ['workers', 'rules.a.minWidth', 'rules.b.formats.0', 'rules.b.formats.1']) {
        assert.equal(thrown.message.split(`${place}: `).length, 2, `${place} in ${thrown.message}`);
      }
      return true;
    },
  );
});

test('the_examples_of_the_documentation_load', (context) => {
  const api = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
  const examples = [...api.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => load(context, yaml).config);
  assert.ok(examples.some(({ rules }) => rules['avatar']?.formats?.includes('webp') && rules['print']?.verdict));
  const policies = examples.find(({ check }) => check.policy === 'strict');
  assert.ok(policies);
  const store = loadModelStore(fileURLToPath(new URL('../../models', import.meta.url)));
  assertPolicies(store, policies.policies, policies.check.policy);
});
