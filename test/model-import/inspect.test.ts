import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { inspectModel } from '../../src/model-import/inspect.ts';
import { GraphFiles } from '../fixtures/graph-files.ts';
import { toConst, writeSavedModel } from '../fixtures/saved-model-files.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

type ModelJson = Record<string, unknown> & {
  weightsManifest: { paths: string[]; weights: Record<string, unknown>[] }[];
};

/** Writes a graph model of one weight, changed before it is written. */
function writeGraph(context: TestContext, change: (model: ModelJson) => void = () => undefined): string {
  const dir = makeTempDir(context);
  for (const [name, bytes] of new GraphFiles().floats('w', [4, 3]).toFiles()) {
    writeFileSync(path.join(dir, name), bytes);
  }
  const file = path.join(dir, 'model.json');
  const model = JSON.parse(readFileSync(file, 'utf8')) as ModelJson;
  change(model);
  writeFileSync(file, JSON.stringify(model));
  return dir;
}

function writeSaved(context: TestContext, variables: readonly string[] = []): string {
  const dir = makeTempDir(context);
  writeSavedModel(dir, [[toConst('scores', [1, 2], [0, 1])]]);
  mkdirSync(path.join(dir, 'variables'));
  for (const name of variables) writeFileSync(path.join(dir, 'variables', name), 'x');
  return dir;
}

test('a_graph_model_is_told_by_its_folder_and_by_its_file', async (context) => {
  const dir = writeGraph(context);
  const found = await inspectModel(dir);
  assert.equal(found.format, 'tfjs-graph');
  assert.deepEqual(
    found.files.map(({ name }) => name),
    ['model.json', 'weights.bin'],
  );
  assert.deepEqual(await inspectModel(path.join(dir, 'model.json')), found);
});

test('a_layers_model_is_told_by_its_topology_alone', async (context) => {
  const dir = writeGraph(context, (model) => {
    delete model['format'];
    model['modelTopology'] = { model_config: {} };
  });
  assert.equal((await inspectModel(dir)).format, 'tfjs-layers');
});

test('a_topology_of_another_name_is_called_model_json', async (context) => {
  const dir = writeGraph(context);
  writeFileSync(path.join(dir, 'other.json'), readFileSync(path.join(dir, 'model.json')));
  const [first] = (await inspectModel(path.join(dir, 'other.json'))).files;
  assert.equal(first?.name, 'model.json');
  assert.equal(first.path, path.join(dir, 'other.json'));
});

test('quantised_weights_are_counted_as_they_are_stored', async (context) => {
  const dir = writeGraph(context, ({ weightsManifest: [group] }) => {
    Object.assign(group?.weights[0] ?? {}, { quantization: { dtype: 'uint8', min: 0, scale: 1 } });
  });
  await assert.rejects(inspectModel(dir), /weights\.bin: 48 bytes, but the weights in .*model\.json take 12$/);
  truncateSync(path.join(dir, 'weights.bin'), 12);
  assert.equal((await inspectModel(dir)).files[1]?.bytes, 12);
});

test('a_saved_model_is_told_with_its_variables', async (context) => {
  const dir = writeSaved(context, ['variables.index', 'variables.data-00000-of-00001']);
  const found = await inspectModel(dir);
  assert.equal(found.format, 'tf-savedmodel');
  assert.deepEqual(
    found.files.map(({ name }) => name),
    ['saved_model.pb', 'variables/variables.data-00000-of-00001', 'variables/variables.index'],
  );
});

test('what_is_no_model_is_refused_by_name', async (context) => {
  const dir = makeTempDir(context);
  await assert.rejects(inspectModel(path.join(dir, 'gone')), /gone: can't be read: ENOENT/);
  await assert.rejects(inspectModel(dir), /holds neither a model\.json .* nor a saved_model\.pb/);
  writeFileSync(path.join(dir, 'model.mlmodel'), 'x');
  await assert.rejects(inspectModel(path.join(dir, 'model.mlmodel')), /model\.mlmodel: is neither/);
  writeFileSync(path.join(dir, 'model.json'), '{"modelTopology"');
  await assert.rejects(inspectModel(dir), /model\.json: is not JSON/);
  writeFileSync(path.join(dir, 'model.json'), '{"name":"something"}');
  await assert.rejects(inspectModel(dir), /model\.json: is not a tfjs model: modelTopology/);
  writeFileSync(path.join(dir, 'model.json'), '{"modelTopology":{},"weightsManifest":[]}');
  await assert.rejects(inspectModel(dir), /model\.json: is neither a tfjs graph model nor a tfjs layers model/);
  writeFileSync(path.join(dir, 'saved_model.pb'), '');
  await assert.rejects(inspectModel(dir), /holds saved_model\.pb and model\.json/);
});

test('a_missing_shard_is_named', async (context) => {
  const dir = writeGraph(context);
  unlinkSync(path.join(dir, 'weights.bin'));
  await assert.rejects(inspectModel(dir), /weights\.bin: is missing$/);
});

test('a_cut_shard_is_named', async (context) => {
  const dir = writeGraph(context);
  truncateSync(path.join(dir, 'weights.bin'), 47);
  await assert.rejects(inspectModel(dir), /weights\.bin: 47 bytes, but the weights in .* take 48$/);
});

test('a_shard_of_more_than_2_gb_is_named', async (context) => {
  const dir = writeGraph(context);
  truncateSync(path.join(dir, 'weights.bin'), 2 ** 31);
  await assert.rejects(inspectModel(dir), /weights\.bin: is 2147483648 bytes; .* at most 2 GB$/);
});

test('weights_outside_the_folder_are_not_read', async (context) => {
  for (const name of ['../weights.bin', '/etc/hostname', 'a/../../b', '..\\b', '']) {
    const dir = writeGraph(context, ({ weightsManifest: [group] }) => {
      if (group) group.paths = [name];
    });
    await assert.rejects(inspectModel(dir), /names the weights '.*', which are outside its folder/);
  }
});

test('a_weight_of_an_unknown_type_is_named', async (context) => {
  const dir = writeGraph(context, ({ weightsManifest: [group] }) => {
    Object.assign(group?.weights[0] ?? {}, { dtype: 'float128' });
  });
  await assert.rejects(inspectModel(dir), /the weight w has the unknown type float128/);
});

test('missing_variables_of_a_saved_model_are_named', async (context) => {
  const cases: [string[], RegExp][] = [
    [['variables.index'], /variables\.data-00000-of-00001: is missing$/],
    [['variables.data-00000-of-00001'], /variables\.index: is missing$/],
    [['variables.index', 'variables.data-00000-of-00002'], /variables\.data-00001-of-00002: is missing$/],
  ];
  for (const [names, message] of cases) await assert.rejects(inspectModel(writeSaved(context, names)), message);
});
