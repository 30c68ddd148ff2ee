import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { compileModel } from '../../src/compile/compile-model.ts';
import type { NodeProto } from '../../src/compile/graph/proto.ts';
import { simplifyGraph } from '../../src/compile/simplify/simplify.ts';
import { traceNetwork } from '../../src/compile/trace/trace.ts';
import { loadCompiledModel } from '../../src/inference/engines/compiled-model.ts';
import { loadOriginalModel } from '../../src/inference/engines/original-model.ts';
import { makeNumbers, makeRaster, startTensorFlow, writeModel, type WrittenModel } from '../fixtures/compile-models.ts';
import { GraphFiles, toList, toText } from '../fixtures/graph-files.ts';
import { toLayersFiles } from '../fixtures/layers-files.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const tf = await startTensorFlow();
const { layers } = tf;

/** Replaces initial weights, with which batch norm would do nothing. */
function fillWeights(network: LayersModel): LayersModel {
  const weights = network.getWeights().map((weight, index) => {
    const isVariance = network.weights[index]?.name.includes('variance') === true;
    const values = makeNumbers(weight.size, index).map((value) => (isVariance ? 0.5 : 0) + 0.4 * value);
    return tf.tensor(values, weight.shape);
  });
  network.setWeights(weights);
  return network;
}

async function writeLayers(
  context: TestContext,
  build: (x: SymbolicTensor) => SymbolicTensor,
  manifest: { input?: Record<string, unknown>; output?: Record<string, unknown> } = {},
): Promise<WrittenModel> {
  const x = tf.input({ shape: [16, 16, 3] });
  const network = fillWeights(tf.model({ inputs: x, outputs: build(x) }));
  return writeModel(makeTempDir(context), await toLayersFiles(network), { format: 'tfjs-layers', ...manifest });
}

const apply = (layer: InstanceType<typeof layers.Layer>, x: SymbolicTensor | SymbolicTensor[]): SymbolicTensor =>
  layer.apply(x) as SymbolicTensor;

function buildSmallNet(x: SymbolicTensor): SymbolicTensor {
  const padded = apply(
    layers.zeroPadding2d({
      padding: [
        [0, 1],
        [0, 1],
      ],
    }),
    x,
  );
  const convolved = apply(layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, useBias: false }), padded);
  const first = apply(layers.reLU({ maxValue: 6 }), apply(layers.batchNormalization(), convolved));
  const depthwise = layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', useBias: false });
  const second = apply(layers.batchNormalization(), apply(depthwise, first));
  const added = apply(layers.add(), [first, apply(layers.activation({ activation: 'relu' }), second)]);
  const joined = apply(layers.concatenate(), [added, first]);
  const pooled = apply(layers.globalAveragePooling2d({}), joined);
  return apply(layers.dense({ units: 3 }), pooled);
}

/** Compiles, then runs both forms with batch sizes that were not traced. */
async function assertSame(context: TestContext, { model, files }: WrittenModel): Promise<void> {
  const cacheDir = makeTempDir(context);
  const rasters = [makeRaster(1), makeRaster(2)];
  const outcome = await compileModel(tf, model, files, { cacheDir, rasters, environment: process.env });
  assert.ok(outcome.kind === 'compiled', outcome.kind === 'refused' ? outcome.reason : '');
  const original = await loadOriginalModel(tf, model, files);
  const compiled = await loadCompiledModel(model, outcome.dir);
  for (const count of [1, 4, 7]) {
    const batch = Uint8Array.from({ length: count }, (_, index) => index).reduce(
      (joined, index) => Buffer.concat([joined, makeRaster(index + 3)]),
      Buffer.alloc(0),
    );
    const [expected, found] = [await original.run(batch, count), await compiled.run(batch, count)];
    assert.equal(found.length, count * model.manifest.output.labels.length);
    assert.ok(new Set(found).size > 1, 'the scores differ from one another');
    for (const [index, score] of expected.entries()) {
      const difference = Math.abs(score - (found[index] ?? NaN));
      assert.ok(difference <= 1e-5 + 1e-4 * Math.abs(score), `batch ${String(count)}: ${String(difference)}`);
    }
  }
  compiled.dispose();
  original.dispose();
}

async function traceOps({ model, files }: WrittenModel): Promise<NodeProto[]> {
  const { graph, shapes } = await traceNetwork(tf, model, files);
  return simplifyGraph(graph, ['images', 'scores'], shapes).node.filter(({ op }) => op !== 'Const');
}

test('a_layers_model_gives_the_same_scores_compiled', async (context) => {
  await assertSame(context, await writeLayers(context, buildSmallNet, { output: { activation: 'softmax' } }));
});

test('per_channel_normalisation_bgr_and_sigmoid_are_inside_the_graph', async (context) => {
  const normalise = { scale: [0.017, 0.0175, 0.0174], offset: [-2.1, -2, -1.8] };
  const manifest = { input: { colour: 'bgr', normalise }, output: { activation: 'sigmoid' } };
  const build = (x: SymbolicTensor): SymbolicTensor => {
    const convolved = apply(layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }), x);
    return apply(layers.dense({ units: 3 }), apply(layers.flatten(), convolved));
  };
  await assertSame(context, await writeLayers(context, build, manifest));
});

test('normalisation_goes_into_weights_and_bias_where_there_are_no_edges', async (context) => {
  const build = (x: SymbolicTensor): SymbolicTensor => {
    const convolved = apply(layers.conv2d({ filters: 4, kernelSize: 3, padding: 'valid' }), x);
    return apply(layers.dense({ units: 3 }), apply(layers.globalMaxPooling2d({}), convolved));
  };
  const manifest = { input: { normalise: { scale: [0.01, 0.02, 0.03], offset: [-1, 0.5, 0] } } };
  const written = await writeLayers(context, build, manifest);
  const ops = (await traceOps(written)).map(({ op }) => op);
  assert.deepEqual(ops.slice(0, 4), ['Placeholder', 'Cast', 'Conv2D', 'BiasAdd']);
  await assertSame(context, written);
});

test('batch_norm_padding_and_clipping_leave_convolution_bias_and_relu6', async (context) => {
  const nodes = await traceOps(await writeLayers(context, buildSmallNet));
  const ops = nodes.map(({ op }) => op);
  assert.deepEqual(ops.slice(0, 6), ['Placeholder', 'Cast', 'AddV2', 'Conv2D', 'BiasAdd', 'Relu6']);
  const gone = ['FusedBatchNorm', 'PadV2', 'Minimum', 'Maximum', 'Add', 'Slice', 'Identity'];
  assert.deepEqual(
    ops.slice(0, -1).filter((op) => gone.includes(op)),
    [],
  );
  assert.equal(nodes.find(({ op }) => op === 'Conv2D')?.attr['padding']?.s?.toString(), 'SAME');
});

test('a_graph_model_gives_the_same_scores_compiled', async (context) => {
  const same = { padding: toText('SAME'), data_format: toText('NHWC'), dilations: toList([1, 1, 1, 1]) };
  const files = new GraphFiles()
    .ints('size', [12, 12])
    .apply('resized', 'ResizeBilinear', ['x', 'size'], { align_corners: { b: false }, half_pixel_centers: { b: true } })
    .floats('w', [3, 3, 3, 6])
    .floats('b', [6])
    .apply('first', '_FusedConv2D', ['resized', 'w', 'b'], {
      ...same,
      strides: toList([1, 2, 2, 1]),
      num_args: { i: '1' },
      fused_ops: { list: { s: [toText('BiasAdd'), toText('Relu6')].map((text) => (text as { s: string }).s) } },
    })
    .floats('gamma', [6], [1, 0.5, 2, 1.5, 1, 0.7])
    .floats('beta', [6])
    .floats('mean', [6])
    .floats('variance', [6], [1, 2, 0.5, 1, 3, 0.1])
    .floats('v', [3, 3, 6, 1])
    .apply('deep', 'DepthwiseConv2dNative', ['first', 'v'], { ...same, strides: toList([1, 1, 1, 1]) })
    .apply('normal', 'FusedBatchNormV3', ['deep', 'gamma', 'beta', 'mean', 'variance'], {
      epsilon: { f: 0.001 },
      data_format: toText('NHWC'),
      is_training: { b: false },
    })
    .ints('paddings', [0, 0, 1, 2, 0, 1, 0, 0], [4, 2])
    .apply('padded', 'Pad', ['normal', 'paddings'], { Tpaddings: { type: 'DT_INT32' } })
    .apply('pooled', 'MaxPool', ['padded'], {
      ksize: toList([1, 2, 2, 1]),
      strides: toList([1, 2, 2, 1]),
      padding: toText('VALID'),
      data_format: toText('NHWC'),
    })
    .ints('shape', [-1, 4 * 3 * 6])
    .apply('flat', 'Reshape', ['pooled', 'shape'], { Tshape: { type: 'DT_INT32' } })
    .floats('m', [4 * 3 * 6, 3])
    .apply('product', 'MatMul', ['flat', 'm'], { transpose_a: { b: false }, transpose_b: { b: false } })
    .floats('offset', [3])
    .apply('scores', 'Add', ['product', 'offset'])
    .toFiles();
  await assertSame(context, writeModel(makeTempDir(context), files, { format: 'tfjs-graph' }));
});

test('a_shape_that_a_graph_model_works_out_itself_follows_the_batch', async (context) => {
  const files = new GraphFiles()
    .apply('shape', 'Shape', ['x'], { out_type: { type: 'DT_INT32' } })
    .ints('zero', [0])
    .ints('one', [1])
    .apply('batch', 'StridedSlice', ['shape', 'zero', 'one', 'one'], { shrink_axis_mask: { i: '1' } })
    .ints('rest', [768], [])
    .add({ name: 'sizes', op: 'Pack', input: ['batch', 'rest'], attr: { N: { i: '2' }, axis: { i: '0' } } })
    .apply('flat', 'Reshape', ['x', 'sizes'])
    .floats('m', [768, 3])
    .apply('scores', 'MatMul', ['flat', 'm'], { transpose_a: { b: false }, transpose_b: { b: false } })
    .toFiles();
  await assertSame(context, writeModel(makeTempDir(context), files, { format: 'tfjs-graph' }));
});

test('rows_that_are_made_for_each_image_follow_the_batch', async (context) => {
  const files = new GraphFiles()
    .apply('shape', 'Shape', ['x'], { out_type: { type: 'DT_INT32' } })
    .ints('zero', [0])
    .ints('one', [1])
    .apply('batch', 'StridedSlice', ['shape', 'zero', 'one', 'one'], { shrink_axis_mask: { i: '1' } })
    .ints('two', [2], [])
    .add({ name: 'sizes', op: 'Pack', input: ['batch', 'two'], attr: { N: { i: '2' }, axis: { i: '0' } } })
    .floats('half', [], [0.5])
    .apply('state', 'Fill', ['sizes', 'half'])
    .ints('axes', [1, 2])
    .apply('mean', 'Mean', ['x', 'axes'], { keep_dims: { b: false } })
    .ints('axis', [1], [])
    .add({ name: 'joined', op: 'ConcatV2', input: ['mean', 'state', 'axis'], attr: { N: { i: '2' } } })
    .floats('m', [5, 3])
    .apply('scores', 'MatMul', ['joined', 'm'], { transpose_a: { b: false }, transpose_b: { b: false } })
    .toFiles();
  await assertSame(context, writeModel(makeTempDir(context), files, { format: 'tfjs-graph' }));
});

test('a_trace_leaves_no_tensor_behind', async (context) => {
  const { model, files } = await writeLayers(context, buildSmallNet);
  const count = (): number => tf.memory().numTensors;
  await traceNetwork(tf, model, files);
  const before = count();
  await traceNetwork(tf, model, files);
  assert.equal(count(), before);
});
