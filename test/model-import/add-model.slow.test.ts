import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import { dataType } from '../../src/compile/graph/proto.ts';
import { loadModelFiles, toFileHash } from '../../src/model/model-files.ts';
import { findVersion, loadModelStore } from '../../src/model/model-store.ts';
import { type AddedModel, addModel } from '../../src/model-import/add-model.ts';
import type { ModelChoices } from '../../src/model-import/model-choices.ts';
import { startTensorFlow } from '../fixtures/compile-models.ts';
import { GraphFiles } from '../fixtures/graph-files.ts';
import { toLayersFiles } from '../fixtures/layers-files.ts';
import { makePictureSavedModel } from '../fixtures/picture-saved-model.ts';
import { toConst, toNode, toShape, writeSavedModel } from '../fixtures/saved-model-files.ts';
import { makeSingleImageGraph } from '../fixtures/single-image-graph.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { writeFiles } from '../fixtures/write-files.ts';

const tf = await startTensorFlow();
const { layers } = tf;

/** Adds the model in `source` to `modelsDir`. */
function add(
  context: TestContext,
  source: string,
  modelsDir: string,
  choices: ModelChoices = {},
  more: { name?: string; version?: string; golden?: string[] } = {},
): Promise<AddedModel> {
  return addModel({
    ...{ source, modelsDir, choices, name: 'mine', version: '1', golden: [], ...more },
    limits: { maxPixels: 1e6, decodeTimeoutMs: 5000, maxDecodeBytes: Infinity },
    compile: { cacheDir: makeTempDir(context), environment: process.env },
  });
}

async function assertRefused(
  context: TestContext,
  source: string,
  message: RegExp,
  choices?: ModelChoices,
  more?: { name?: string; version?: string; golden?: string[] },
): Promise<void> {
  const modelsDir = makeTempDir(context);
  await assert.rejects(add(context, source, modelsDir, choices, more), (thrown: Error) => {
    assert.match(thrown.message, message);
    assert.doesNotMatch(thrown.message, /\n/, 'one line');
    return true;
  });
  assert.deepEqual(readdirSync(modelsDir), [], 'nothing half-written');
}

/** Mean red, green and blue, of 8 × 8 pixels unless said otherwise. */
async function makeMeans(
  activation: 'softmax' | 'linear' = 'linear',
  shape: (number | null)[] = [8, 8, 3],
): Promise<[string, Buffer][]> {
  const input = tf.input({ shape, name: 'picture' });
  const pooled = layers.globalAveragePooling2d({}).apply(input) as SymbolicTensor;
  const weights = [tf.eye(3)];
  const scores = layers.dense({ units: 3, useBias: false, weights, activation }).apply(pooled) as SymbolicTensor;
  return toLayersFiles(tf.model({ inputs: input, outputs: scores }));
}

/** A graph model without a signature, so that the shape of its output is unknown. */
function makeGraph(shape?: readonly number[]): GraphFiles {
  return new GraphFiles(shape)
    .ints('axes', [1, 2])
    .apply('means', 'Mean', ['x', 'axes'], { Tidx: { type: 'DT_INT32' }, keep_dims: { b: false } })
    .floats('w', [3, 2], [1, 0, 0, 1, 0, 0])
    .apply('scores', 'MatMul', ['means', 'w'], { transpose_a: { b: false }, transpose_b: { b: false } });
}

test('a_layers_model_becomes_a_version_that_the_store_takes', async (context) => {
  const modelsDir = makeTempDir(context);
  const files = await makeMeans();
  const added = await add(context, writeFiles(context, files), modelsDir);
  const stored = findVersion(loadModelStore(modelsDir), 'mine@1');
  assert.ok(stored.kind === 'usable');
  assert.deepEqual(stored.model, added.model);
  const { manifest, dir } = stored.model;
  assert.equal(manifest.format, 'tfjs-layers');
  assert.deepEqual({ width: manifest.input.width, height: manifest.input.height }, { width: 8, height: 8 });
  assert.deepEqual(manifest.input.normalise, { scale: 1 / 255, offset: 0 });
  assert.deepEqual(manifest.output.labels, ['label0', 'label1', 'label2']);
  assert.deepEqual(added.guessed, { labels: true, normalise: true });
  assert.deepEqual(manifest.files, Object.fromEntries(files.map(([name, bytes]) => [name, toFileHash(bytes)])));
  assert.equal((await loadModelFiles(stored.model)).size, 2);
  assert.ok(added.outcome.kind === 'compiled');
  assert.ok(existsSync(path.join(dir, 'compiled', 'saved_model.pb')));
  assert.deepEqual(readdirSync(path.join(modelsDir, 'mine')), ['1'], 'no staging folder');
});

test('golden_scores_are_those_of_the_users_pictures', async (context) => {
  const dir = makeTempDir(context);
  const red = path.join(dir, 'red.png');
  const create = { width: 30, height: 20, channels: 3 as const, background: { r: 255, g: 0, b: 51 } };
  await sharp({ create }).png().toFile(red);
  const source = writeFiles(context, await makeMeans());
  const labels = ['red', 'green', 'blue'];
  const { model } = await add(context, source, makeTempDir(context), { labels }, { golden: [red] });
  assert.deepEqual(model.manifest.golden, [{ image: 'golden/red.png', scores: [1, 0, 0.2], tolerance: 0.01 }]);
  assert.deepEqual(model.manifest.output.labels, labels);
  assert.deepEqual(readFileSync(path.join(model.dir, 'golden', 'red.png')), readFileSync(red));
});

test('scores_that_add_up_to_one_are_taken_for_single_label', async (context) => {
  const softmax = writeFiles(context, await makeMeans('softmax'));
  const modelsDir = makeTempDir(context);
  assert.equal((await add(context, softmax, modelsDir)).model.manifest.output.kind, 'single-label');
  const second = await add(context, softmax, modelsDir, { kind: 'multi-label' }, { version: '2' });
  assert.equal(second.model.manifest.output.kind, 'multi-label');
  assert.deepEqual(readdirSync(path.join(modelsDir, 'mine')).sort(), ['1', '2']);
});

test('the_scores_of_a_graph_model_that_tells_no_shape_are_counted', async (context) => {
  const source = writeFiles(context, makeGraph().toFiles());
  const { model } = await add(context, source, makeTempDir(context));
  assert.equal(model.manifest.format, 'tfjs-graph');
  assert.deepEqual(model.manifest.output.labels, ['label0', 'label1']);
});

test('a_network_of_any_size_takes_the_users', async (context) => {
  const source = writeFiles(context, await makeMeans('linear', [null, null, 3]));
  await assertRefused(context, source, /pictures of any width; --width must say which/);
  const { model } = await add(context, source, makeTempDir(context), { width: 12, height: 10 });
  assert.deepEqual([model.manifest.input.width, model.manifest.input.height], [12, 10]);
});

test('a_saved_model_is_added_with_its_only_signature', async (context) => {
  const source = writeFiles(context, [['saved_model.pb', makePictureSavedModel([-1, 3], dataType.uint8)]]);
  const { model, outcome } = await add(context, source, makeTempDir(context));
  assert.equal(model.manifest.input.signature, 'score');
  assert.deepEqual(model.manifest.input.normalise, { scale: 1, offset: 0 }, 'whole numbers are pixels');
  assert.equal(model.manifest.output.labels.length, 3);
  assert.equal(outcome.kind, 'compiled');
});

test('a_model_that_cannot_be_compiled_is_added_as_it_is', async (context) => {
  // Frozen for one image at a time: it can't be run in batches.
  const source = writeFiles(context, makeSingleImageGraph());
  const { model, outcome } = await add(context, source, makeTempDir(context), { labels: ['r', 'g', 'b'] });
  assert.equal(outcome.kind, 'refused');
  assert.equal(loadModelStore(path.dirname(path.dirname(model.dir))).size, 1);
});

test('a_version_that_is_there_is_left_as_it_is', async (context) => {
  const source = writeFiles(context, await makeMeans());
  const modelsDir = makeTempDir(context);
  mkdirSync(path.join(modelsDir, 'mine', '1'), { recursive: true });
  writeFileSync(path.join(modelsDir, 'mine', '1', 'manifest.json'), 'mine');
  await assert.rejects(add(context, source, modelsDir), /mine\/1: already exists; it is left unchanged$/);
  assert.deepEqual(readdirSync(path.join(modelsDir, 'mine')), ['1']);
  assert.equal(readFileSync(path.join(modelsDir, 'mine', '1', 'manifest.json'), 'utf8'), 'mine');
});

test('names_and_versions_that_leave_the_folder_are_refused', async (context) => {
  const source = writeFiles(context, await makeMeans());
  for (const name of ['../out', '', '.hidden', 'a/b']) {
    await assertRefused(context, source, /^--name .*: must be of letters/, {}, { name });
  }
  await assertRefused(context, source, /a version is a whole number$/, {}, { version: '../2' });
});

test('an_unreadable_model_leaves_nothing', async (context) => {
  const source = writeFiles(context, await makeMeans());
  truncateSync(path.join(source, 'weights.bin'), 35);
  await assertRefused(context, source, /weights\.bin: 35 bytes, but the weights in .* take 36$/);
});

test('weights_of_another_topology_are_refused', async (context) => {
  const files = await makeMeans();
  const rename = (json: string): string => json.replaceAll('"name":"dense_', '"name":"other_');
  const renamed = files.map(([name, bytes]): [string, Buffer] => {
    if (name !== 'model.json') return [name, bytes];
    const model = JSON.parse(bytes.toString()) as { weightsManifest: unknown };
    model.weightsManifest = JSON.parse(rename(JSON.stringify(model.weightsManifest)));
    return [name, Buffer.from(JSON.stringify(model))];
  });
  await assertRefused(context, writeFiles(context, renamed), /^model\.json: .*weight/);
});

test('weights_that_are_no_numbers_are_refused', async (context) => {
  const files = makeGraph().floats('w2', [2], [NaN, 0]).apply('bad', 'Add', ['scores', 'w2']).toFiles();
  await assertRefused(context, writeFiles(context, files), /golden\/drawn\.png: the model answers NaN/);
});

test('an_unknown_operation_is_named', async (context) => {
  const files = makeGraph().apply('odd', 'MyOwnOperation', ['scores']).toFiles();
  await assertRefused(context, writeFiles(context, files), /MyOwnOperation/);
});

test('several_inputs_are_refused', async (context) => {
  const pictures = [0, 1].map((index) => tf.input({ shape: [8, 8, 3], name: `picture${String(index)}` }));
  const added = layers.add().apply(pictures) as SymbolicTensor;
  const pooled = layers.globalAveragePooling2d({}).apply(added) as SymbolicTensor;
  const files = await toLayersFiles(tf.model({ inputs: pictures, outputs: pooled }));
  await assertRefused(context, writeFiles(context, files), /has 2 inputs \(picture0\w*, picture1\w*\)/);
  const saved = writeFiles(context, [['saved_model.pb', makePictureSavedModel([-1, 3], dataType.float, ['x', 'y'])]]);
  await assertRefused(context, saved, /has 2 inputs \(x, y\)/);
});

test('several_outputs_are_refused_until_one_is_chosen', async (context) => {
  const input = tf.input({ shape: [8, 8, 3] });
  const means = layers.globalAveragePooling2d({}).apply(input) as SymbolicTensor;
  const maxima = layers.globalMaxPooling2d({}).apply(input) as SymbolicTensor;
  const source = writeFiles(context, await toLayersFiles(tf.model({ inputs: input, outputs: [means, maxima] })));
  await assertRefused(context, source, /has the outputs 0, 1; --output must name one/);
  await assertRefused(context, source, /has no output 2; there are: 0, 1/, { output: '2' });
  const { model } = await add(context, source, makeTempDir(context), { output: '1' });
  assert.equal(model.manifest.output.tensor, '1');
});

test('inputs_and_outputs_that_are_no_pictures_and_scores_are_refused', async (context) => {
  const flat = makeGraph([-1, 192]).toFiles();
  await assertRefused(context, writeFiles(context, flat), /the input x is \[n, 192\]; only \[n, height, width, 3\]/);
  const channelsFirst = makeGraph([-1, 3, 8, 8]).toFiles();
  await assertRefused(context, writeFiles(context, channelsFirst), /the input x is \[n, 3, 8, 8\]/);
  const saved = writeFiles(context, [['saved_model.pb', makePictureSavedModel([-1, 3], dataType.string)]]);
  await assertRefused(context, saved, /the input x is string; only float32, uint8 and int32/);
  const input = tf.input({ shape: [8, 8, 3] });
  const still = layers.conv2d({ filters: 2, kernelSize: 3 }).apply(input) as SymbolicTensor;
  const files = await toLayersFiles(tf.model({ inputs: input, outputs: still }));
  await assertRefused(context, writeFiles(context, files), /is \[n, 6, 6, 2\]; only \[n, scores\] is served/);
});

test('labels_must_be_as_many_as_the_scores', async (context) => {
  const source = writeFiles(context, await makeMeans());
  const two = { labels: ['a', 'b'] };
  await assertRefused(context, source, /the model answers 3 scores, 2 labels are given$/, two);
  await assertRefused(context, source, /output\.labels: names a label twice/, { labels: ['a', 'b', 'b'] });
  const untold = writeFiles(context, [['saved_model.pb', makePictureSavedModel([-1, -1])]]);
  await assertRefused(context, untold, /scores has an unknown number of scores; name them with --labels/);
  await assertRefused(context, untold, /the model answers \[1, 3\], the manifest names 2 labels/, two);
});

test('a_size_that_is_not_the_networks_is_refused', async (context) => {
  const source = writeFiles(context, await makeMeans());
  await assertRefused(context, source, /takes pictures of width 8, --width says 224/, { width: 224 });
});

test('a_damaged_saved_model_is_named', async (context) => {
  const whole = makePictureSavedModel([-1, 3]);
  const cut = writeFiles(context, [['saved_model.pb', whole.subarray(0, whole.length - 20)]]);
  await assertRefused(context, cut, /^saved_model\.pb: is damaged/);
  await assertRefused(context, writeFiles(context, [['saved_model.pb', Buffer.alloc(0)]]), /^saved_model\.pb: /);
  const good = writeFiles(context, [['saved_model.pb', whole]]);
  await assertRefused(context, good, /has no signature other; there are: score/, { signature: 'other' });
  await assertRefused(context, good, /no graph with the tags gpu; there are: serve/, { tags: ['gpu'] });
});

test('a_saved_model_that_tensorflow_refuses_is_named_in_one_line', async (context) => {
  const bytes = makePictureSavedModel([-1, 3]);
  // An unknown operation with a name of the same length.
  const odd = Buffer.from(bytes.toString('latin1').replaceAll('Placeholder', 'Plaaaholder'), 'latin1');
  await assertRefused(context, writeFiles(context, [['saved_model.pb', odd]]), /^saved_model\.pb: .*Plaaaholder/);
});

test('a_saved_model_whose_variables_are_gone_is_named', async (context) => {
  const dtype = { type: dataType.float };
  const variable = toNode('v', 'VarHandleOp', [], { dtype, shape: { shape: toShape([1]) } });
  const dir = makeTempDir(context);
  writeSavedModel(dir, [[variable, toConst('scores', [1, 2], [0, 1])]]);
  await assertRefused(context, dir, /^variables\/variables\.index: is missing, but saved_model\.pb has variables$/);
});

test('a_signal_ends_it_and_leaves_nothing', async (context) => {
  const modelsDir = makeTempDir(context);
  const entry = fileURLToPath(new URL('../fixtures/staging-process.ts', import.meta.url));
  const child = fork(entry, [path.join(modelsDir, 'mine', '1')]);
  context.after(() => child.kill('SIGKILL'));
  await once(child, 'message');
  assert.equal(readdirSync(path.join(modelsDir, 'mine')).length, 1, 'it is at work');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [143, null]);
  assert.deepEqual(readdirSync(modelsDir), []);
});

test('golden_images_that_are_no_pictures_are_named', async (context) => {
  const source = writeFiles(context, await makeMeans());
  const file = path.join(source, 'notes.txt');
  writeFileSync(file, 'no picture');
  await assertRefused(context, source, /golden\/notes\.txt: ERR_IMAGE_UNSUPPORTED/, {}, { golden: [file] });
  await assertRefused(context, source, /gone\.png: can't be read/, {}, { golden: [path.join(source, 'gone.png')] });
});
