import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { readConstant, toConstNode } from '../../src/compile/graph/constant.ts';
import type { GraphProto } from '../../src/compile/graph/proto.ts';
import { toSavedModel } from '../../src/compile/graph/saved-model.ts';
import { chooseUsefulBatch } from '../../src/compile/measure/batches.ts';
import { traceNetwork } from '../../src/compile/trace/trace.ts';
import { verifyCompiled } from '../../src/compile/verify/verify.ts';
import { loadCompiledGraph } from '../../src/inference/engines/compiled-model.ts';
import type { LoadedModel } from '../../src/inference/engines/engine.ts';
import { loadOriginalModel } from '../../src/inference/engines/original-model.ts';
import { makeRaster, startTensorFlow, writeModel, type WrittenModel } from '../fixtures/compile-models.ts';
import { GraphFiles } from '../fixtures/graph-files.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const tf = await startTensorFlow();
const size = { width: 16, height: 16 };

function writeSmall(context: TestContext): WrittenModel {
  const files = new GraphFiles()
    .ints('axes', [1, 2])
    .apply('mean', 'Mean', ['x', 'axes'], { keep_dims: { b: false } })
    .floats('m', [3, 3])
    .apply('scores', 'MatMul', ['mean', 'm'], { transpose_a: { b: false }, transpose_b: { b: false } })
    .toFiles();
  return writeModel(makeTempDir(context), files, { format: 'tfjs-graph' });
}

async function verifyAltered(context: TestContext, alter: (graph: GraphProto) => GraphProto): Promise<number> {
  const { model, files } = writeSmall(context);
  const { graph } = await traceNetwork(tf, model, files);
  const dir = makeTempDir(context);
  writeFileSync(path.join(dir, 'saved_model.pb'), toSavedModel(alter(graph), size, 3));
  const original = await loadOriginalModel(tf, model, files);
  const compiled = loadCompiledGraph(model, dir, undefined);
  return verifyCompiled(original, compiled, { rasters: [makeRaster(1)], ...size });
}

/** Changes each 3 × 3 constant. */
function alterWeights(graph: GraphProto, change: (value: number, index: number) => number): GraphProto {
  const node = graph.node.map((each) => {
    const constant = readConstant(each);
    if (constant?.shape.length !== 2 || !(constant.values instanceof Float32Array)) return each;
    return toConstNode(each.name, { ...constant, values: constant.values.map(change) });
  });
  return { ...graph, node };
}

test('an_untouched_graph_passes', async (context) => {
  assert.ok((await verifyAltered(context, (graph) => graph)) < 1e-6);
});

test('a_graph_with_one_weight_changed_is_rejected', async (context) => {
  const altered = verifyAltered(context, (graph) =>
    alterWeights(graph, (value, index) => (index === 4 ? value + 0.01 : value)),
  );
  await assert.rejects(altered, {
    name: 'CompileRefusal',
    message: /: a score is \S+ compiled, \S+ before$/,
  });
});

test('a_graph_that_answers_no_numbers_is_rejected', async (context) => {
  await assert.rejects(
    verifyAltered(context, (graph) => alterWeights(graph, () => NaN)),
    /NaN compiled/,
  );
});

test('a_graph_that_is_right_for_one_image_only_is_rejected', async (context) => {
  const altered = verifyAltered(context, (graph) => {
    const [last] = graph.node.slice(-1);
    assert.ok(last);
    const shape = toConstNode('sizes', { dtype: 3, shape: [2], values: Int32Array.of(1, 3) });
    const attr = { T: { type: 1 }, Tshape: { type: 3 } };
    const reshaped = { name: 'scores', op: 'Reshape', input: [last.input[0] ?? '', 'sizes'], attr };
    return { ...graph, node: [...graph.node.slice(0, -1), shape, reshaped] };
  });
  await assert.rejects(altered, /batch of 2, compiled fails/);
});

test('no_number_before_and_none_after_is_no_agreement', async () => {
  const answer = (value: number): LoadedModel => ({
    form: 'op-by-op',
    usefulBatch: undefined,
    run: (_, count) => Promise.resolve(new Float32Array(count).fill(value)),
    dispose: () => undefined,
  });
  const compare = (before: number, after: number): Promise<number> =>
    verifyCompiled(answer(before), answer(after), { rasters: [], ...size });
  const refuse = (compiled: string, before: string) => ({
    name: 'CompileRefusal',
    message: `a batch of 1: a score is ${compiled} compiled, ${before} before`,
  });
  await assert.rejects(compare(NaN, NaN), refuse('NaN', 'NaN'));
  await assert.rejects(compare(Infinity, Infinity), refuse('Infinity', 'Infinity'));
  await assert.rejects(compare(0.5, 0.501), refuse(String(Math.fround(0.501)), '0.5'));
  assert.ok((await compare(0.5, 0.5005)) < 6e-4);
});

test('the_useful_batch_gains_a_tenth_and_is_affordable', () => {
  const cost = (batch: number, perImageMs: number, megabytes = 0): Parameters<typeof chooseUsefulBatch>[0][number] => ({
    size: batch,
    perImageMs,
    privateBytes: megabytes * 1e6,
  });
  assert.equal(chooseUsefulBatch([]), 1);
  assert.equal(chooseUsefulBatch([cost(1, 10), cost(2, 9.5), cost(4, 9.4)]), 1);
  assert.equal(chooseUsefulBatch([cost(1, 10), cost(2, 8), cost(4, 7.9), cost(8, 5)]), 8);
  assert.equal(chooseUsefulBatch([cost(1, 10, 50), cost(2, 8, 90), cost(4, 5, 200)]), 2);
});
