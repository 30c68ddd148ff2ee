import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { type ConfigSources, loadConfig } from '../../src/config/load.ts';
import { listOptions } from '../../src/config/options.ts';
import { ExitError } from '../../src/errors.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type Files = Readonly<Record<string, string>>;

function toRoot(context: test.TestContext, files: Files = {}): string {
  const rootDir = makeTempDir(context);
  mkdirSync(path.join(rootDir, 'config'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(rootDir, 'config', name), text);
  return rootDir;
}

function assertRefused(sources: ConfigSources, ...parts: readonly string[]): void {
  assert.throws(
    () => loadConfig(sources),
    (thrown) => {
      assert.ok(thrown instanceof ExitError);
      assert.equal(thrown.exitCode, 78);
      for (const part of parts) assert.ok(thrown.message.includes(part), `${part} is in: ${thrown.message}`);
      assert.ok(!thrown.message.includes('\n'), 'one line');
      return true;
    },
  );
}

test('each_source_goes_over_the_one_before', (context) => {
  const rootDir = toRoot(context, {
    'default.yaml': 'upload: { maxFiles: 1, maxBytes: 1, timeoutMs: 1000, idleTimeoutMs: 1000 }',
    'staging.yaml': 'upload: { maxBytes: 2, timeoutMs: 2000, idleTimeoutMs: 2000 }',
  });
  const file = path.join(rootDir, 'own.yaml');
  writeFileSync(file, 'upload: { timeoutMs: 3000, idleTimeoutMs: 3000 }');
  const { config, settings } = loadConfig({
    rootDir,
    environment: { NODE_ENV: 'staging', IMAGE_CHECK_UPLOAD_IDLE_TIMEOUT_MS: '4000' },
    file,
    flags: new Map([['server.port', { value: 0, source: '--port' }]]),
  });
  const { maxFiles, maxBytes, timeoutMs, idleTimeoutMs } = config.upload;
  assert.deepEqual([maxFiles, maxBytes, timeoutMs, idleTimeoutMs], [1, 2, 3000, 4000]);
  assert.equal(config.server.port, 0);
  const sourceOf = (name: string): string | undefined => settings.find(({ option }) => option.path === name)?.source;
  assert.equal(sourceOf('upload.idleTimeoutMs'), 'IMAGE_CHECK_UPLOAD_IDLE_TIMEOUT_MS');
  assert.equal(sourceOf('server.port'), '--port');
  assert.equal(sourceOf('check.deadlineMs'), 'default');
});

test('every_option_can_be_set_by_its_variable', (context) => {
  const rootDir = toRoot(context);
  for (const option of listOptions()) {
    const { defaultValue } = option;
    const text = Array.isArray(defaultValue) ? defaultValue.join(',') : toText(defaultValue);
    const { settings } = loadConfig({ rootDir, environment: { [option.variable]: text } });
    const setting = settings.find((candidate) => candidate.option.path === option.path);
    assert.ok(setting);
    assert.deepEqual(setting.value, option.defaultValue, option.path);
    assert.equal(setting.source, option.variable);
  }
});

test('a_list_is_comma_separated_in_a_variable', (context) => {
  const environment = { IMAGE_CHECK_CHECK_MODELS: 'quality, nsfw@2', IMAGE_CHECK_WORKERS: '3' };
  const { config } = loadConfig({ rootDir: toRoot(context), environment });
  assert.deepEqual(config.check.models, ['quality', 'nsfw@2']);
  assert.equal(config.workers, 3);
});

test('a_relative_models_folder_starts_from_the_project', (context) => {
  const rootDir = toRoot(context);
  assert.equal(loadConfig({ rootDir, environment: {} }).config.models.dir, path.join(rootDir, 'models'));
});

test('a_value_out_of_range_names_option_value_range_and_source', (context) => {
  const sources = { rootDir: toRoot(context), environment: { IMAGE_CHECK_UPLOAD_MAX_BYTES: '0' } };
  assertRefused(sources, 'upload.maxBytes', '0', '1 … 1073741824', 'IMAGE_CHECK_UPLOAD_MAX_BYTES');
});

test('a_word_where_a_number_belongs_is_refused', (context) => {
  const sources = { rootDir: toRoot(context), environment: { IMAGE_CHECK_WORKERS: 'many' } };
  assertRefused(sources, 'workers', 'many', 'auto | 1 … 1024');
});

test('all_faults_are_told_at_once', (context) => {
  const rootDir = toRoot(context, { 'default.yaml': 'upload: { maxBytes: -1 }\nmodel: { load: sometimes }' });
  assertRefused({ rootDir, environment: {} }, 'upload.maxBytes', 'model.load', 'lazy | eager', 'default.yaml');
});

test('an_unknown_option_in_a_file_is_refused', (context) => {
  const rootDir = toRoot(context, { 'default.yaml': 'upload: { maxByte: 1 }' });
  assertRefused({ rootDir, environment: {} }, 'upload.maxByte', 'no such option', 'default.yaml');
});

test('broken_yaml_names_the_file', (context) => {
  const rootDir = toRoot(context, { 'default.yaml': 'upload: {' });
  assertRefused({ rootDir, environment: {} }, 'default.yaml');
});

test('a_file_that_is_no_mapping_is_refused', (context) => {
  const rootDir = toRoot(context, { 'default.yaml': '- upload' });
  assertRefused({ rootDir, environment: {} }, 'default.yaml', 'mapping');
});

test('a_missing_config_file_names_the_file', (context) => {
  assertRefused({ rootDir: toRoot(context), environment: {}, file: 'nowhere.yaml' }, 'nowhere.yaml');
});

test('variables_that_kubernetes_adds_are_left_alone', (context) => {
  const environment = { IMAGE_CHECK_SERVICE_HOST: '10.0.0.1', IMAGE_CHECK_PORT: 'tcp://10.0.0.1:80' };
  assert.equal(loadConfig({ rootDir: toRoot(context), environment }).config.server.port, 5051);
});

test('artefacts_go_to_the_users_cache_unless_a_folder_is_named', (context) => {
  const rootDir = toRoot(context);
  const toDir = (environment: NodeJS.ProcessEnv): string =>
    loadConfig({ rootDir, environment }).config.model.artefactDir;
  assert.equal(toDir({ XDG_CACHE_HOME: '/x' }), '/x/image-check/compiled');
  assert.match(toDir({ XDG_CACHE_HOME: 'relative' }), /\.cache\/image-check\/compiled$/);
  assert.equal(toDir({ IMAGE_CHECK_MODEL_ARTEFACT_DIR: '/own' }), '/own');
});
