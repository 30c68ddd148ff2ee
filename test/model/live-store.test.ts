import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { createLiveStore } from '../../src/model/live-store.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { findVersion, loadModelStore } from '../../src/model/model-store.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

interface Setting {
  readonly file: string;
  readonly faults: readonly string[];
  readonly refresh: () => Promise<void>;
  readonly manifest: (reference?: string) => Manifest;
}

async function createSetting(context: test.TestContext): Promise<Setting> {
  const modelsDir = makeTempDir(context);
  const dir = await writeColourModel(modelsDir, { policy: { red: { review: 0.5 } } });
  await writeColourModel(modelsDir, { version: '2', policy: { blue: { review: 0.2 } } });
  const faults: string[] = [];
  const { store, refreshPolicies } = createLiveStore(loadModelStore(modelsDir), (fault) => faults.push(fault));
  const manifest = (reference = 'colour@1'): Manifest => {
    const found = findVersion(store(), reference);
    assert.ok(found.kind === 'usable');
    return found.model.manifest;
  };
  return { file: path.join(dir, 'manifest.json'), faults, refresh: refreshPolicies, manifest };
}

function change(file: string, parts: object): void {
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...parts }));
}

test('thresholds_are_taken_over_and_nothing_else_is_touched', async (context) => {
  const { file, faults, refresh, manifest } = await createSetting(context);
  const before = manifest();
  change(file, { policy: { green: { reject: 0.7 } } });
  await refresh();
  assert.deepEqual(manifest(), { ...before, policy: { green: { reject: 0.7 } } });
  assert.deepEqual(manifest('colour@2').policy, { blue: { review: 0.2 } });
  assert.deepEqual(faults, []);
});

test('named_policies_are_taken_over_and_taken_away', async (context) => {
  const { file, faults, refresh, manifest } = await createSetting(context);
  const before = manifest();
  const policies = { strict: { red: { review: 0.1 } }, own: {} };
  change(file, { policies });
  await refresh();
  assert.deepEqual(manifest(), { ...before, policies });
  change(file, { policies: { strict: { mauve: { review: 0.1 } } } });
  await refresh();
  assert.deepEqual(manifest(), { ...before, policies });
  assert.match(
    faults.join(),
    /keeps its thresholds: manifest.json: policies.strict.mauve: is not among output.labels$/,
  );
  change(file, { policies: undefined });
  await refresh();
  assert.deepEqual(manifest(), before);
});

test('a_version_that_changed_in_anything_else_keeps_its_thresholds', async (context) => {
  const { file, refresh, manifest } = await createSetting(context);
  const before = manifest();
  change(file, { policy: {}, golden: [] });
  await refresh();
  assert.deepEqual(manifest(), before);
});

test('a_broken_manifest_keeps_the_thresholds_and_says_why_in_one_line', async (context) => {
  const { file, faults, refresh, manifest } = await createSetting(context);
  const before = manifest();
  change(file, { policy: { mauve: { review: 0.1 } } });
  await refresh();
  writeFileSync(file, '{"policy":');
  await refresh();
  rmSync(file);
  await refresh();
  assert.deepEqual(manifest(), before);
  assert.equal(faults.length, 3);
  assert.match(faults[0] ?? '', /^model colour@1 keeps its thresholds: manifest.json: policy.mauve: is not among /);
  assert.match(faults[1] ?? '', /Unexpected end/);
  assert.match(faults[2] ?? '', /ENOENT/);
  for (const fault of faults) assert.doesNotMatch(fault, /\n/);
});

test('a_version_that_came_later_is_not_known', async (context) => {
  const { file, refresh, manifest } = await createSetting(context);
  const modelsDir = path.dirname(path.dirname(path.dirname(file)));
  await writeColourModel(modelsDir, { version: '3', policy: {} });
  await refresh();
  assert.deepEqual(manifest('colour').policy, { blue: { review: 0.2 } });
});

test('changes_in_quick_succession_end_with_the_last', async (context) => {
  const { file, refresh, manifest } = await createSetting(context);
  const refreshes: Promise<void>[] = [];
  for (const review of [0.1, 0.2, 0.3, 0.4]) {
    change(file, { policy: { red: { review } } });
    refreshes.push(refresh());
  }
  await Promise.all(refreshes);
  assert.deepEqual(manifest().policy, { red: { review: 0.4 } });
});
