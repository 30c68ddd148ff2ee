import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { dataType, encodeSavedModel, type NodeProto } from '../../src/compile/graph/proto.ts';
import { describeNetwork } from '../../src/model-import/describe-network.ts';
import { startTensorFlow } from '../fixtures/compile-models.ts';
import { GraphFiles } from '../fixtures/graph-files.ts';
import { toConst, toNode, toShape } from '../fixtures/saved-model-files.ts';
import { writeFiles } from '../fixtures/write-files.ts';

const tf = await startTensorFlow();

async function findInGraph(context: TestContext, graph: GraphFiles): Promise<string | undefined> {
  return (await describeNetwork(tf, writeFiles(context, graph.toFiles()), 'tfjs-graph', {})).scaling;
}

/** A graph whose scores are the means of what `scaled` holds. */
function toScores(graph: GraphFiles, scaled: string): GraphFiles {
  return graph
    .ints('axes', [1, 2])
    .apply('scores', 'Mean', [scaled, 'axes'], { Tidx: { type: 'DT_INT32' }, keep_dims: { b: false } });
}

test('a_graph_model_that_divides_pixels_is_told', async (context) => {
  const graph = new GraphFiles().floats('c', [], [1 / 255]).apply('rescaling/mul', 'Mul', ['x', 'c']);
  assert.equal(await findInGraph(context, toScores(graph, 'rescaling/mul')), 'rescaling/mul');
  const means = new GraphFiles().floats('c', [3], [123, 117, 104]).apply('sub', 'Sub', ['x', 'c']);
  assert.equal(await findInGraph(context, toScores(means, 'sub')), 'sub');
});

test('channels_may_be_turned_round_before', async (context) => {
  // As Keras prepares pictures for ResNet50.
  const graph = new GraphFiles()
    .ints('from', [0, 0, 0, 0])
    .ints('step', [1, 1, 1, -1])
    .apply('turned', 'StridedSlice', ['x', 'from', 'from', 'step'], { begin_mask: { i: '15' }, end_mask: { i: '15' } })
    .floats('c', [3], [-103.9, -116.8, -123.7])
    .apply('centred', 'BiasAdd', ['turned', 'c']);
  assert.equal(await findInGraph(context, toScores(graph, 'centred')), 'centred');
});

test('a_graph_model_that_takes_fractions_is_not_taken_for_one_of_pixels', async (context) => {
  // Those of TensorFlow Hub take 0…1 and make -1…1 of it.
  const hub = new GraphFiles().floats('c', [], [2]).apply('mul', 'Mul', ['x', 'c']);
  assert.equal(await findInGraph(context, toScores(hub, 'mul')), undefined);
  assert.equal(await findInGraph(context, toScores(new GraphFiles(), 'x')), undefined);
  const twice = new GraphFiles()
    .floats('c', [], [1 / 255])
    .apply('mul', 'Mul', ['x', 'c'])
    .apply('both', 'AddV2', ['x', 'mul']);
  assert.equal(await findInGraph(context, toScores(twice, 'both')), undefined, 'the picture itself is used, too');
});

/** A SavedModel as Keras exports it: the network is in a function. */
function makeKerasExport(scale: number): Buffer {
  const float = { T: { type: dataType.float } };
  const body: NodeProto[] = [
    toNode('rescaling/cast', 'Cast', ['picture'], { SrcT: { type: dataType.float }, DstT: { type: dataType.float } }),
    toConst('rescaling/Cast/x', [], [scale]),
    toNode('rescaling/mul', 'Mul', ['rescaling/cast:y:0', 'rescaling/Cast/x:output:0'], float),
    toNode('axes', 'Const', [], {
      dtype: { type: dataType.int32 },
      value: { tensor: { dtype: dataType.int32, tensorShape: toShape([2]), intVal: [1, 2] } },
    }),
    toNode('mean', 'Mean', ['rescaling/mul:z:0', 'axes:output:0'], {
      ...{ ...float, Tidx: { type: dataType.int32 }, keep_dims: { b: false } },
    }),
  ];
  const toArg = (name: string) => ({ name, type: dataType.float });
  const signature = { name: 'serve', inputArg: [toArg('picture')], outputArg: [toArg('scores')] };
  const types = { list: { type: [dataType.float] } };
  const node = [
    toNode('x', 'Placeholder', [], { dtype: { type: dataType.float }, shape: { shape: toShape([-1, 8, 8, 3]) } }),
    toNode('call', 'StatefulPartitionedCall', ['x'], { Tin: types, Tout: types, f: { func: { name: 'serve' } } }),
  ];
  const toOp = (name: string, output: string) => ({ name, inputArg: [], outputArg: [toArg(output)] });
  const toInfo = (name: string, sizes: readonly number[]) => ({
    ...{ name, dtype: dataType.float, tensorShape: toShape(sizes) },
  });
  return Buffer.from(
    encodeSavedModel({
      savedModelSchemaVersion: 1,
      metaGraphs: [
        {
          metaInfoDef: {
            tags: ['serve'],
            strippedOpList: {
              op: [toOp('Cast', 'y'), toOp('Mul', 'z'), toOp('Const', 'output'), toOp('Mean', 'output')],
            },
          },
          graphDef: {
            node,
            library: { function: [{ signature, nodeDef: body, ret: { scores: 'mean:output:0' } }] },
            versions: { producer: 1087 },
          },
          signatureDef: {
            serving_default: {
              inputs: { picture: toInfo('x:0', [-1, 8, 8, 3]) },
              outputs: { scores: toInfo('call:0', [-1, 3]) },
              methodName: 'tensorflow/serving/predict',
            },
          },
        },
      ],
    }),
  );
}

test('a_saved_model_that_divides_pixels_in_a_function_is_told', async (context) => {
  for (const [scale, expected] of [
    [1 / 255, /rescaling\/mul$/],
    [2, /^undefined$/],
  ] as const) {
    const dir = writeFiles(context, [['saved_model.pb', makeKerasExport(scale)]]);
    const { scaling } = await describeNetwork(tf, dir, 'tf-savedmodel', {});
    assert.match(String(scaling), expected);
  }
});
