import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ExitError } from '../../src/errors.ts';
import { assertPolicies } from '../../src/model/configured-policies.ts';
import { loadModelStore } from '../../src/model/model-store.ts';
import type { ModelVersion } from '../../src/model/model-version.ts';
import { type ConfiguredPolicies, isKnownPolicy, listPolicies, toAppliedPolicy } from '../../src/model/policy.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { createLabellingManifest } from '../fixtures/labelling-manifest.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const shipped = { a: { review: 0.5, reject: 0.8 }, b: { review: 0.6 } };
const model: ModelVersion = {
  name: 'm',
  version: '1',
  dir: '/',
  manifest: { ...createLabellingManifest(['a', 'b', 'c'], shipped), policies: { strict: { a: { reject: 0.4 } } } },
};

test('without_any_choice_the_thresholds_of_the_manifest_hold_as_they_are', () => {
  const { name, thresholds } = toAppliedPolicy(model, {}, 'default');
  assert.equal(name, 'default');
  assert.equal(thresholds, model.manifest.policy);
});

test('a_policy_replaces_the_labels_that_it_names_and_keeps_the_others', () => {
  const applied = toAppliedPolicy(model, {}, 'strict');
  assert.deepEqual(applied, { name: 'strict', thresholds: { a: { reject: 0.4 }, b: { review: 0.6 } } });
});

test('what_an_operator_writes_goes_over_the_manifest', () => {
  const configured = { strict: { m: { b: {}, c: { review: 0.1 } } }, own: { m: { a: { review: 0.9 } } } };
  assert.deepEqual(toAppliedPolicy(model, configured, 'strict').thresholds, {
    a: { reject: 0.4 },
    b: {},
    c: { review: 0.1 },
  });
  assert.deepEqual(toAppliedPolicy(model, configured, 'own'), {
    name: 'own',
    thresholds: { a: { review: 0.9 }, b: { review: 0.6 } },
  });
});

test('an_operators_default_holds_for_every_policy_that_does_not_say_otherwise', () => {
  const configured = { default: { m: { a: { review: 0.1 }, b: { review: 0.2 } } } };
  assert.deepEqual(toAppliedPolicy(model, configured, 'default'), {
    name: 'default',
    thresholds: { a: { review: 0.1 }, b: { review: 0.2 } },
  });
  assert.deepEqual(toAppliedPolicy(model, configured, 'strict').thresholds, {
    a: { reject: 0.4 },
    b: { review: 0.2 },
  });
});

test('the_policies_of_a_model_are_default_those_of_its_manifest_and_those_an_operator_wrote_for_it', () => {
  const configured = { strict: { m: { b: {} } }, own: { m: {} }, other: { n: {} }, default: { m: {} } };
  assert.deepEqual(listPolicies(model, {}), ['default', 'strict']);
  assert.deepEqual(listPolicies(model, configured), ['default', 'strict', 'own']);
  assert.deepEqual(listPolicies({ ...model, name: 'constructor' }, configured), ['default', 'strict']);
});

test('a_model_without_the_policy_is_judged_by_default_and_says_so', () => {
  const configured = { own: { other: { a: { review: 0 } } }, default: { m: { b: {} } } };
  assert.deepEqual(toAppliedPolicy(model, configured, 'own'), {
    name: 'default',
    thresholds: { a: { review: 0.5, reject: 0.8 }, b: {} },
  });
});

test('names_of_objects_own_methods_are_no_policies', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    assert.equal(isKnownPolicy([model], {}, name), false, name);
    assert.equal(toAppliedPolicy(model, {}, name).name, 'default', name);
  }
  assert.deepEqual(
    ['default', 'strict', 'own', 'Strict', ''].map((name) => isKnownPolicy([model], { own: {} }, name)),
    [true, true, true, false, false],
  );
});

async function assertRefused(
  context: test.TestContext,
  policies: ConfiguredPolicies,
  wanted: string,
  ...faults: readonly RegExp[]
): Promise<void> {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { manifest: { policies: { vivid: {} } } });
  await writeColourModel(dir, { version: '2' });
  writeFileSync(path.join(await writeColourModel(dir, { name: 'broken' }), 'manifest.json'), '{');
  const assertFit = (): void => {
    assertPolicies(loadModelStore(dir), policies, wanted);
  };
  if (faults.length === 0) assertFit();
  else {
    assert.throws(assertFit, (thrown) => {
      assert.ok(thrown instanceof ExitError);
      assert.equal(thrown.exitCode, 78);
      for (const fault of faults) assert.match(thrown.message, fault);
      return true;
    });
  }
}

test('a_misspelt_model_label_or_policy_of_the_configuration_is_named', async (context) => {
  const thresholds = { review: 0.5 };
  await assertRefused(
    context,
    { own: { colours: { red: thresholds } } },
    'own',
    /policies\.own\.colours: no such model/,
  );
  await assertRefused(
    context,
    { own: { colour: { rde: thresholds } } },
    'own',
    /policies\.own\.colour: .*no label rde/,
  );
  await assertRefused(context, {}, 'stricter', /check\.policy: there is no policy stricter/);
  const both = { own: { colour: { rde: thresholds }, colours: {} } };
  await assertRefused(context, both, 'none', /label rde/, /colours: no such model; .*broken/, /check\.policy/);
});

test('policies_of_labels_that_are_there_pass_and_those_of_a_broken_model_too', async (context) => {
  await assertRefused(context, {}, 'default');
  await assertRefused(context, {}, 'vivid');
  await assertRefused(context, { own: { colour: { red: {} }, broken: { any: { review: 0 } } } }, 'own');
});
