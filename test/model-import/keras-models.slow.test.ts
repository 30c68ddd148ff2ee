import assert from 'node:assert/strict';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import { type AddedModel, addModel } from '../../src/model-import/add-model.ts';
import type { ModelChoices } from '../../src/model-import/model-choices.ts';
import { startTensorFlow } from '../fixtures/compile-models.ts';
import {
  type KerasWeight,
  toKeras3Input,
  toKeras3Layer,
  toKeras3Model,
  toKeras3Sequence,
  toKeras3Tensor,
  toKerasFiles,
  toOpLambda,
} from '../fixtures/keras-files.ts';
import { toLayersFiles } from '../fixtures/layers-files.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { writeFiles } from '../fixtures/write-files.ts';

const tf = await startTensorFlow();

type Json = Record<string, unknown>;

/** The one colour of the golden picture. */
const colour = { r: 255, g: 102, b: 51 };

const identity: KerasWeight = { shape: [3, 3], values: [1, 0, 0, 0, 1, 0, 0, 0, 1] };

/** Adds a model and scores a picture of one colour. */
async function add(
  context: TestContext,
  files: readonly (readonly [string, Buffer])[],
  choices: ModelChoices = {},
): Promise<AddedModel> {
  const source = writeFiles(context, files);
  const golden = path.join(source, 'plain.png');
  await sharp({ create: { width: 8, height: 8, channels: 3, background: colour } })
    .png()
    .toFile(golden);
  return addModel({
    ...{ source, modelsDir: makeTempDir(context), choices, name: 'mine', version: '1', golden: [golden] },
    limits: { maxPixels: 1e6, decodeTimeoutMs: 5000, maxDecodeBytes: Infinity },
    compile: { cacheDir: makeTempDir(context), environment: process.env },
  });
}

function assertScores({ model, outcome }: AddedModel, expected: readonly number[]): void {
  assert.equal(outcome.kind, 'compiled');
  const [golden] = model.manifest.golden;
  assert.equal(golden?.scores.length, expected.length);
  for (const [index, score] of expected.entries()) {
    const found = golden.scores[index] ?? NaN;
    assert.ok(Math.abs(found - score) < 1e-4, `score ${String(index)} is ${String(found)}, not ${String(score)}`);
  }
}

/** Layers in a row, each called on the one before it, as Keras 3 writes a graph. */
function toRow(...layers: readonly Json[]): Json[] {
  return layers.map((layer, index) => {
    const before = layers[index - 1]?.['name'];
    if (typeof before !== 'string' || layer['inbound_nodes'] !== undefined) return layer;
    return { ...layer, inbound_nodes: [{ args: [toKeras3Tensor(before)], kwargs: {} }] };
  });
}

const input = toKeras3Input('in', [8, 8, 3]);
const pool = toKeras3Layer('GlobalAveragePooling2D', 'pool', { data_format: 'channels_last', keepdims: false });
const scores = toKeras3Layer('Dense', 'scores', { units: 3, activation: 'linear', use_bias: false });

test('a_keras_3_sequence_with_a_rescaling_is_given_pixels', async (context) => {
  const layers = [
    input,
    toKeras3Layer('RandomFlip', 'flip', { mode: 'horizontal', seed: null }),
    toKeras3Layer('Rescaling', 'rescaling', { scale: 1 / 255, offset: 0 }),
    toKeras3Layer('DepthwiseConv2D', 'depth', {
      ...{ kernel_size: [1, 1], strides: [1, 1], padding: 'valid', depth_multiplier: 1, data_format: 'channels_last' },
      ...{ dilation_rate: [1, 1], activation: 'linear', use_bias: false, groups: 1 },
      depthwise_regularizer: { class_name: 'L2', config: { l2: 0.001 }, module: 'keras.regularizers' },
    }),
    toKeras3Layer('Dropout', 'drop', { rate: 0.5, seed: null, noise_shape: null }),
    pool,
    scores,
  ];
  const weights = {
    'mine/depth/kernel': { shape: [1, 1, 3, 1], values: [1, 0.5, 0.25] },
    'mine/scores/kernel': identity,
    'mine/drop/seed_generator/seed_generator_state': { shape: [2] },
  };
  const added = await add(context, toKerasFiles(toKeras3Sequence('mine', layers), weights));
  assert.equal(added.network.scaling, 'rescaling');
  assert.deepEqual(added.model.manifest.input.normalise, { scale: 1, offset: 0 });
  assert.equal(added.guessed.normalise, false);
  assertScores(added, [1, 0.2, 0.05]);
});

test('a_keras_3_graph_with_a_network_inside_is_served', async (context) => {
  const inner = toKeras3Model(
    'base',
    toRow(
      toKeras3Input('base_in', [8, 8, 3]),
      toKeras3Layer('BatchNormalization', 'bn', { axis: -1, epsilon: 0, center: true, scale: true }),
      pool,
    ),
  );
  const augment = toKeras3Sequence('augment', [
    toKeras3Input('augment_in', [8, 8, 3]),
    toKeras3Layer('RandomRotation', 'turn', { factor: [-0.1, 0.1] }),
  ]);
  const sum = toKeras3Layer('Add', 'sum', {}, [[toKeras3Tensor('base'), toKeras3Tensor('base')]]);
  const model = toKeras3Model('mine', toRow(input, augment, inner, sum, scores));
  const weights = {
    'bn/gamma': { shape: [3], values: [1, 1, 1] },
    'bn/beta': { shape: [3], values: [0, 0, 0] },
    'bn/moving_mean': { shape: [3], values: [0, 0, 0] },
    'bn/moving_variance': { shape: [3], values: [4, 4, 4] },
    'scores/kernel': identity,
  };
  const added = await add(context, toKerasFiles(model, weights));
  assert.equal(added.network.scaling, undefined);
  assert.equal(added.guessed.normalise, true);
  assertScores(added, [1, 0.4, 0.2]);
});

test('preprocessing_in_code_counts_as_the_networks_own_scaling', async (context) => {
  const old = (className: string, name: string, config: Json, from?: string): Json => ({
    ...{ class_name: className, name, config: { name, ...config } },
    inbound_nodes: from === undefined ? [] : [[[from, 0, 0, {}]]],
  });
  const model = toKeras3Model('mine', [
    old('InputLayer', 'in', { batch_input_shape: [null, 8, 8, 3], dtype: 'float32' }),
    toOpLambda('tf.math.truediv', 'math.truediv', 'in', { y: 127.5, name: null }),
    toOpLambda('tf.math.subtract', 'math.subtract', 'tf.math.truediv', { y: 1, name: null }),
    old('GlobalAveragePooling2D', 'pool', { data_format: 'channels_last' }, 'tf.math.subtract'),
  ]);
  const added = await add(context, toKerasFiles(model, {}, '2.15.0'));
  assert.equal(added.network.scaling, 'tf.math.truediv');
  assertScores(added, [1, -0.2, -0.6]);
});

test('mobilenets_parts_are_computed_as_keras_does', async (context) => {
  const kept = toKeras3Layer('GlobalAveragePooling2D', 'squeeze', { data_format: 'channels_last', keepdims: true });
  const more = { ...toKeras3Layer('Add', 'add', {}, [toKeras3Tensor('squeeze'), 3]), module: 'keras.src.ops.numpy' };
  const relu = toKeras3Layer('ReLU', 'relu', { max_value: 6, negative_slope: 0, threshold: 0 });
  const part = {
    ...toKeras3Layer('Multiply', 'part', {}, [toKeras3Tensor('relu'), 1 / 6]),
    module: 'keras.src.ops.numpy',
  };
  const excite = toKeras3Layer('Multiply', 'excite', {}, [[toKeras3Tensor('squeeze'), toKeras3Tensor('part')]]);
  const swish = toKeras3Layer('Activation', 'swish', { activation: 'hard_swish' });
  const layers = toRow(input, kept, more, relu, part, excite, swish, toKeras3Layer('Flatten', 'flat'));
  const added = await add(context, toKerasFiles(toKeras3Model('mine', layers), {}));
  const hardSwish = (x: number): number => (x * Math.min(6, x + 3)) / 6;
  assertScores(
    added,
    [1, 0.4, 0.2].map((x) => hardSwish(hardSwish(x))),
  );
});

test('a_normalisation_that_was_adapted_to_pixels_is_given_pixels', async (context) => {
  const normalise = toKeras3Layer('Normalization', 'norm', { axis: [-1], invert: false, mean: null, variance: null });
  const files = (mean: number, variance: number): [string, Buffer][] =>
    toKerasFiles(toKeras3Sequence('mine', [input, normalise, pool]), {
      'norm/mean': { shape: [3], values: [mean, mean, mean] },
      'norm/variance': { shape: [3], values: [variance, variance, variance] },
      'norm/count': { shape: [], values: [0] },
    });
  const pixels = await add(context, files(102, 51 ** 2));
  assert.equal(pixels.network.scaling, 'norm');
  assertScores(pixels, [3, 0, -1]);
  const fractions = await add(context, files(0.4, 0.2 ** 2));
  assert.equal(fractions.network.scaling, undefined);
  assertScores(fractions, [3, 0, -1]);
});

test('a_rescaling_by_one_is_only_a_cast', async (context) => {
  const layers = [
    input,
    toKeras3Layer('Rescaling', 'cast', { scale: 1, offset: 0 }),
    toKeras3Layer('Normalization', 'norm', { axis: -1, invert: false, mean: [102, 102, 102], variance: [1, 1, 1] }),
    pool,
  ];
  const added = await add(context, toKerasFiles(toKeras3Sequence('mine', layers), {}));
  assert.equal(added.network.scaling, 'norm');
  assertScores(added, [153, 0, -51]);
});

test('networks_inside_networks_of_keras_2_and_tfjs_are_served', async (context) => {
  const { layers } = tf;
  // As Teachable Machine nests them.
  const base = tf.input({ shape: [8, 8, 3] });
  const truncated = tf.model({ inputs: base, outputs: layers.reLU().apply(base) as SymbolicTensor });
  const features = tf.sequential({ layers: [truncated, layers.globalAveragePooling2d({})] });
  const head = tf.sequential({
    layers: [layers.dense({ units: 3, inputShape: [3], weights: [tf.eye(3), tf.zeros([3])] })],
  });
  assertScores(await add(context, await toLayersFiles(tf.sequential({ layers: [features, head] }))), [1, 0.4, 0.2]);

  const old = (className: string, name: string, config: Json, ...from: readonly unknown[]): Json => ({
    ...{ class_name: className, name, config: { name, ...config } },
    inbound_nodes: from.length === 0 ? [] : [from],
  });
  const shape = { batch_input_shape: [null, 8, 8, 3], dtype: 'float32' };
  const flip = { layers: [old('InputLayer', 'flip_in', shape), old('RandomFlip', 'flip', shape)] };
  const inner = { layers: [old('InputLayer', 'inner_in', shape), old('GlobalAveragePooling2D', 'pool', {})] };
  const model = toKeras3Model('mine', [
    old('InputLayer', 'in', shape),
    old('Sequential', 'augment', flip, ['in', 0, 0, { training: false }]),
    old('Sequential', 'inner', inner, ['augment', 1, 0, {}]),
    old('Dense', 'scores', { units: 3, use_bias: false }, ['inner', 1, 0, {}]),
  ]);
  assertScores(await add(context, toKerasFiles(model, { 'scores/kernel': identity }, '2.15.0')), [1, 0.4, 0.2]);
});

test('a_resizing_inside_lets_the_network_take_any_size', async (context) => {
  const layers = [
    toKeras3Input('in', [null, null, 3]),
    toKeras3Layer('Resizing', 'resize', { height: 4, width: 4, interpolation: 'bilinear' }),
    pool,
  ];
  const files = toKerasFiles(toKeras3Sequence('mine', layers), {});
  const added = await add(context, files, { width: 16, height: 12 });
  assertScores(added, [1, 0.4, 0.2]);
});

test('what_the_user_says_of_the_scaling_holds', async (context) => {
  const layers = [input, toKeras3Layer('Rescaling', 'rescaling', { scale: 1 / 255, offset: 0 }), pool];
  const added = await add(context, toKerasFiles(toKeras3Sequence('mine', layers), {}), { scale: 0.5 });
  assert.deepEqual(added.model.manifest.input.normalise, { scale: 0.5, offset: 0 });
  assertScores(added, [0.5, 0.2, 0.1]);
});

test('a_layer_that_cannot_be_served_is_named', async (context) => {
  const layers = [input, toKeras3Layer('Lambda', 'odd', { function: 'x' }), pool];
  await assert.rejects(
    add(context, toKerasFiles(toKeras3Sequence('mine', layers), {})),
    /^Error: model\.json: the layer odd \(Lambda\) .*; export a SavedModel: /,
  );
});

test('a_weight_of_no_layer_is_named', async (context) => {
  const files = toKerasFiles(toKeras3Sequence('mine', [input, pool, scores]), { 'mine/other/kernel': identity });
  await assert.rejects(
    add(context, files),
    /^Error: model\.json: the weights are not those of the layers: .*mine\/other\/kernel; export a SavedModel: /,
  );
});
