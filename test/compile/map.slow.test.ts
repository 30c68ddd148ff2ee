import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { compileModel } from '../../src/compile/compile-model.ts';
import { CompileRefusal } from '../../src/compile/graph/compile-refusal.ts';
import { readConstant, toConstNode, toIntConstant } from '../../src/compile/graph/constant.ts';
import { dataType, encodeSavedModel, type GraphProto, type NodeProto } from '../../src/compile/graph/proto.ts';
import { toSavedModel } from '../../src/compile/graph/saved-model.ts';
import { simplifyGraph } from '../../src/compile/simplify/simplify.ts';
import { traceNetwork } from '../../src/compile/trace/trace.ts';
import { verifyCompiled } from '../../src/compile/verify/verify.ts';
import { loadCompiledGraph, loadCompiledModel } from '../../src/inference/engines/compiled-model.ts';
import type { Explained, LoadedModel } from '../../src/inference/engines/engine.ts';
import { loadOriginalModel } from '../../src/inference/engines/original-model.ts';
import { loadTfjsNetwork } from '../../src/inference/engines/tfjs-model.ts';
import { makeNumbers, makeRaster, startTensorFlow, writeModel, type WrittenModel } from '../fixtures/compile-models.ts';
import { GraphFiles, toList, toText } from '../fixtures/graph-files.ts';
import { toLayersFiles } from '../fixtures/layers-files.ts';
import { toConst, toNode, toShape } from '../fixtures/saved-model-files.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const tf = await startTensorFlow();
const { layers } = tf;
const float = { type: dataType.float };
const map = { tensor: '1', width: 4, height: 4 };

type Output = Readonly<Record<string, unknown>>;

/** A stem for both outputs and a convolution for the map only. */
async function writeLayers(context: TestContext, output: Output = {}): Promise<WrittenModel> {
  const apply = (layer: InstanceType<typeof layers.Layer>, x: SymbolicTensor): SymbolicTensor =>
    layer.apply(x) as SymbolicTensor;
  const x = tf.input({ shape: [16, 16, 3] });
  const stem = layers.conv2d({ filters: 6, kernelSize: 3, strides: 4, padding: 'same', activation: 'relu' });
  const features = apply(stem, x);
  const scores = apply(layers.dense({ units: 3 }), apply(layers.globalAveragePooling2d({}), features));
  const where = apply(layers.conv2d({ filters: 3, kernelSize: 1 }), features);
  const network = tf.model({ inputs: x, outputs: [scores, where] });
  network.setWeights(
    network.getWeights().map((weight, index) =>
      tf.tensor(
        makeNumbers(weight.size, index).map((value) => 4 * value),
        weight.shape,
      ),
    ),
  );
  const files = await toLayersFiles(network);
  network.dispose();
  return writeModel(makeTempDir(context), files, { format: 'tfjs-layers', output: { map, ...output } });
}

function writeGraph(context: TestContext, output: Output): WrittenModel {
  const window = toList([1, 4, 4, 1]);
  const pooling = { ksize: window, strides: window, padding: toText('VALID'), data_format: toText('NHWC') };
  const files = new GraphFiles()
    .apply('pooled', 'AvgPool', ['x'], pooling)
    .ints('axes', [1, 2])
    .apply('mean', 'Mean', ['pooled', 'axes'], { keep_dims: { b: false } })
    .floats('m', [3, 3])
    .apply('scores', 'MatMul', ['mean', 'm'], { transpose_a: { b: false }, transpose_b: { b: false } })
    .floats('w', [1, 1, 3, 3])
    .apply('where', 'Conv2D', ['pooled', 'w'], {
      strides: toList([1, 1, 1, 1]),
      padding: toText('SAME'),
      data_format: toText('NHWC'),
      dilations: toList([1, 1, 1, 1]),
    })
    .toFiles();
  return writeModel(makeTempDir(context), files, { format: 'tfjs-graph', output });
}

/** Means of 4 × 4 pixels and of the whole; `change` goes between the pooled pixels and the map. */
function writeSavedModel(
  context: TestContext,
  change: readonly NodeProto[] = [],
  outputType: number = dataType.float,
): WrittenModel {
  const images = { dtype: float, shape: { shape: toShape([-1, 16, 16, 3]) } };
  const list = { list: { i: [1, 4, 4, 1] } };
  const window = { ksize: list, strides: list, padding: { s: Buffer.from('VALID') } };
  const cast = { SrcT: float, DstT: { type: outputType }, Truncate: { b: false } };
  const node = [
    toNode('x', 'Placeholder', [], images),
    toConst('thousand', [], [1000]),
    toNode('larger', 'Mul', ['x', 'thousand'], { T: float }),
    toNode('pooled', 'AvgPool', ['larger'], { T: float, ...window }),
    toConstNode('axes', toIntConstant([1, 2])),
    toNode('mean', 'Mean', ['larger', 'axes'], { T: float, Tidx: { type: dataType.int32 } }),
    toNode('scores', 'Cast', ['mean'], cast),
    ...change,
    toNode('where', 'Cast', [change.at(-1)?.name ?? 'pooled'], cast),
  ];
  const toInfo = (name: string, dtype: number, sizes: readonly number[]) => {
    return { name: `${name}:0`, dtype, tensorShape: toShape(sizes) };
  };
  const signature = {
    inputs: { picture: toInfo('x', dataType.float, [-1, 16, 16, 3]) },
    outputs: {
      answer: toInfo('scores', outputType, [-1, 3]),
      place: toInfo('where', outputType, [-1, 4, 4, 3]),
    },
    methodName: 'tensorflow/serving/predict',
  };
  const metaGraph = {
    metaInfoDef: { tags: ['serve'] },
    graphDef: { node, versions: { producer: 1087 } },
    signatureDef: { serving_default: signature },
  };
  const bytes = encodeSavedModel({ savedModelSchemaVersion: 1, metaGraphs: [metaGraph] });
  const output = { map: { ...map, tensor: 'place' } };
  return writeModel(makeTempDir(context), [['saved_model.pb', Buffer.from(bytes)]], {
    format: 'tf-savedmodel',
    output,
  });
}

function explain(model: LoadedModel, batch: Uint8Array, count: number): Promise<Explained> {
  assert.ok(model.explain, 'the model has a map');
  return model.explain(batch.slice(), count);
}

function assertNear(found: Float32Array, expected: Float32Array, what: string): void {
  assert.equal(found.length, expected.length, what);
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs(value - (found[index] ?? NaN));
    assert.ok(difference <= 1e-5 + 1e-4 * Math.abs(value), `${what} ${String(index)}: ${String(difference)}`);
  }
}

/** Compiles, then compares scores and maps of both forms, requested together and alone. */
async function assertSame(context: TestContext, { model, files }: WrittenModel): Promise<Explained> {
  const options = { cacheDir: makeTempDir(context), rasters: [makeRaster(1)], environment: process.env };
  const outcome = await compileModel(tf, model, files, options);
  assert.ok(outcome.kind === 'compiled', outcome.kind === 'refused' ? outcome.reason : '');
  const original = await loadOriginalModel(tf, model, files);
  const compiled = await loadCompiledModel(model, outcome.dir);
  const batch = Uint8Array.from([2, 3, 4].flatMap((seed) => [...makeRaster(seed)]));
  const expected = await explain(original, batch, 3);
  const found = await explain(compiled, batch, 3);
  assert.equal(expected.maps.length, 3 * 4 * 4 * 3);
  assert.ok(new Set(expected.maps).size > 20, 'the cells differ from one another');
  assertNear(found.maps, expected.maps, 'map');
  assertNear(found.scores, expected.scores, 'score');
  for (const form of [original, compiled]) assertNear(await form.run(batch.slice(), 3), expected.scores, form.form);
  const [second] = [await explain(compiled, makeRaster(3), 1)];
  assertNear(second.maps, expected.maps.slice(48, 96), 'the map of the second alone');
  original.dispose();
  compiled.dispose();
  return found;
}

for (const activation of ['none', 'sigmoid', 'softmax'] as const) {
  test(`a_layers_model_gives_the_same_maps_compiled_with_the_activation_${activation}`, async (context) => {
    const { maps } = await assertSame(context, await writeLayers(context, { activation }));
    if (activation === 'none') {
      assert.ok(
        maps.some((score) => score < 0 || score > 1),
        'nothing brings them to 0…1',
      );
    } else {
      assert.ok(
        maps.every((score) => score > 0 && score < 1),
        'all are in 0…1',
      );
    }
    const sums = Array.from({ length: 48 }, (_, cell) => maps.slice(cell * 3, cell * 3 + 3).reduce((a, b) => a + b));
    assert.equal(
      activation === 'softmax',
      sums.every((sum) => Math.abs(sum - 1) < 1e-5),
    );
  });
}

test('a_graph_model_names_its_map_and_the_other_output_is_the_scores', async (context) => {
  await assertSame(context, writeGraph(context, { map: { ...map, tensor: 'where' } }));
});

test('a_graph_model_may_name_both', async (context) => {
  const output = { tensor: 'scores', map: { ...map, tensor: 'where' }, activation: 'sigmoid' };
  await assertSame(context, writeGraph(context, output));
});

test('a_saved_model_names_outputs_of_its_signature', async (context) => {
  await assertSame(context, writeSavedModel(context));
});

test('outputs_of_another_type_are_cast_each', async (context) => {
  await assertSame(context, writeSavedModel(context, [], dataType.int32));
});

/** Makes a tensor fail when it is computed. */
function toFailing(input: string, name: string): NodeProto[] {
  return [
    toConst('nothing', [], [0]),
    toNode('endless', 'RealDiv', [input, 'nothing'], { T: float }),
    toNode(name, 'CheckNumerics', ['endless'], { T: float, message: { s: Buffer.from('the map is computed') } }),
  ];
}

test('scores_alone_do_not_run_the_map_of_a_saved_model', async (context) => {
  const { model, files } = writeSavedModel(context, toFailing('pooled', 'checked'));
  const original = await loadOriginalModel(tf, model, files);
  assert.equal((await original.run(makeRaster(1), 1)).length, 3);
  await assert.rejects(explain(original, makeRaster(1), 1), /the map is computed/);
});

test('scores_alone_do_not_run_the_map_of_a_compiled_graph', async (context) => {
  const { model, files } = await writeLayers(context);
  const compiled = await loadAltered(context, { model, files }, (graph) => ({
    ...graph,
    node: graph.node.flatMap((node) => (node.name === 'map' ? toFailing(node.input[0] ?? '', 'map') : [node])),
  }));
  const original = await loadOriginalModel(tf, model, files);
  assertNear(await compiled.run(makeRaster(1), 1), await original.run(makeRaster(1), 1), 'score');
  await assert.rejects(explain(compiled, makeRaster(1), 1), /the map is computed/);
});

async function loadAltered(
  context: TestContext,
  { model, files }: WrittenModel,
  alter: (graph: GraphProto) => GraphProto,
): Promise<LoadedModel> {
  const { graph, shapes } = await traceNetwork(tf, model, files);
  const simple = simplifyGraph(graph, ['images', 'scores', 'map'], shapes);
  const dir = makeTempDir(context);
  const { input, output } = model.manifest;
  const bytes = toSavedModel(alter(simple), input, output.labels.length, output.map);
  writeFileSync(path.join(dir, 'saved_model.pb'), bytes);
  return loadCompiledGraph(model, dir, undefined);
}

test('scores_alone_run_fewer_operations_of_tfjs_models', async (context) => {
  for (const { model, files } of [
    await writeLayers(context),
    writeGraph(context, { map: { ...map, tensor: 'where' } }),
  ]) {
    const network = await loadTfjsNetwork(model, files);
    const batch = tf.tensor4d(new Float32Array(16 * 16 * 3), [1, 16, 16, 3]);
    const countConvolutions = async (wantsMap: boolean): Promise<number> => {
      const { kernels } = await tf.profile(() => Object.values(network.predict(batch, wantsMap)));
      return kernels.filter(({ name }) => name.includes('Conv2D')).length;
    };
    const alone = await countConvolutions(false);
    assert.equal(await countConvolutions(true), alone + 1, model.manifest.format);
    network.dispose();
  }
});

test('a_layers_model_that_is_disposed_of_leaves_no_tensor_behind', async (context) => {
  const { model, files } = await writeLayers(context);
  const before = tf.memory().numTensors;
  const original = await loadOriginalModel(tf, model, files);
  await explain(original, makeRaster(1), 1);
  await original.run(makeRaster(1), 1);
  original.dispose();
  assert.equal(tf.memory().numTensors, before);
});

test('a_graph_whose_map_has_another_weight_is_rejected_although_its_scores_are_right', async (context) => {
  const written = await writeLayers(context);
  const original = await loadOriginalModel(tf, written.model, written.files);
  const verify = (compiled: LoadedModel): Promise<number> =>
    verifyCompiled(original, compiled, { rasters: [makeRaster(1)], width: 16, height: 16 });
  const untouched = await loadAltered(context, written, (graph) => graph);
  assert.ok((await verify(untouched)) < 1e-4, 'the traced graph as it is passes');
  const altered = await loadAltered(context, written, (graph) => ({
    ...graph,
    node: graph.node.map((node) => {
      const constant = readConstant(node);
      if (!(constant?.values instanceof Float32Array) || constant.shape.join() !== '1,1,6,3') return node;
      return toConstNode(node.name, { ...constant, values: constant.values.map((value) => value * 1.01) });
    }),
  }));
  await assert.rejects(verify(altered), (thrown: unknown) => {
    assert.ok(thrown instanceof CompileRefusal, String(thrown));
    return /the map of golden image 1: a score is/.test(thrown.message);
  });
});

const faults: readonly [string, Output, RegExp][] = [
  ['an_output_that_is_not_there', { map: { ...map, tensor: '2' } }, /has the outputs 0, 1; output\.map\.tensor/],
  ['scores_in_the_place_of_the_map', { tensor: '1', map: { ...map, tensor: '0' } }, /answers \[1, 4, 4, 3\]/],
  ['a_map_of_another_width', { map: { ...map, width: 5 } }, /maps are \[1, 4, 4, 3\], .* says \[1, 4, 5, 3\]/],
  ['a_map_of_another_height', { map: { ...map, height: 2 } }, /maps are \[1, 4, 4, 3\], .* says \[1, 2, 4, 3\]/],
];
for (const [name, output, reason] of faults) {
  test(`${name}_is_a_broken_model_not_a_refused_one`, async (context) => {
    const { model, files } = await writeLayers(context, output);
    const options = { cacheDir: makeTempDir(context), rasters: [], environment: process.env };
    await assert.rejects(compileModel(tf, model, files, options), reason);
  });
}
