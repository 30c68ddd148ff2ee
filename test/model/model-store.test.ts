import assert from 'node:assert/strict';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ExitError, ServiceError } from '../../src/errors.ts';
import { loadModelFiles } from '../../src/model/model-files.ts';
import { assertDefaults, findVersion, loadModelStore, toVersion } from '../../src/model/model-store.ts';
import type { ModelVersion } from '../../src/model/model-version.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

async function toModel(context: test.TestContext): Promise<ModelVersion> {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const found = findVersion(loadModelStore(dir), 'colour');
  assert.ok(found.kind === 'usable');
  return found.model;
}

test('the_highest_version_serves_unless_one_is_asked_for', async (context) => {
  const dir = makeTempDir(context);
  for (const version of ['1', '2', '10']) await writeColourModel(dir, { version });
  const store = loadModelStore(dir);
  assert.equal(toVersion(findVersion(store, 'colour')), '10');
  assert.equal(toVersion(findVersion(store, 'colour@2')), '2');
});

test('an_unknown_name_or_version_says_what_there_is', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const store = loadModelStore(dir);
  const isUnknown = (detail: RegExp) => (thrown: unknown) =>
    thrown instanceof ServiceError && thrown.code === 'ERR_MODEL_UNKNOWN' && detail.test(thrown.detail);
  assert.throws(() => findVersion(store, 'shape'), isUnknown(/no model shape; there are: colour/));
  assert.throws(() => findVersion(store, 'colour@7'), isUnknown(/colour has no version 7/));
  assert.throws(
    () => {
      assertDefaults(store, ['shape']);
    },
    (thrown) => thrown instanceof ExitError && thrown.exitCode === 78 && thrown.message.includes('check.models'),
  );
});

test('a_broken_manifest_leaves_the_other_versions', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  mkdirSync(path.join(dir, 'colour', '2'));
  writeFileSync(path.join(dir, 'colour', '2', 'manifest.json'), '{}');
  const store = loadModelStore(dir);
  const broken = findVersion(store, 'colour');
  assert.ok(broken.kind === 'broken');
  assert.match(broken.reason, /^manifest\.json: .*format/);
  assert.equal(findVersion(store, 'colour@1').kind, 'usable');
});

test('a_missing_or_empty_models_folder_ends_in_78', (context) => {
  const dir = makeTempDir(context);
  const isConfiguration = (thrown: unknown): boolean => thrown instanceof ExitError && thrown.exitCode === 78;
  assert.throws(() => loadModelStore(path.join(dir, 'nowhere')), isConfiguration);
  assert.throws(() => loadModelStore(dir), isConfiguration);
});

test('files_are_read_and_their_hashes_compared', async (context) => {
  const files = await loadModelFiles(await toModel(context));
  assert.deepEqual([...files.keys()].sort(), ['model.json', 'weights.bin']);
});

test('a_truncated_file_is_named', async (context) => {
  const model = await toModel(context);
  truncateSync(path.join(model.dir, 'weights.bin'), 4);
  await assert.rejects(loadModelFiles(model), /weights\.bin: its hash is sha256-/);
});

test('a_missing_file_is_named', async (context) => {
  const model = await toModel(context);
  rmSync(path.join(model.dir, 'weights.bin'));
  await assert.rejects(loadModelFiles(model), /weights\.bin: can't be read: ENOENT/);
});
