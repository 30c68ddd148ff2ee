import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { freezeSavedModel, type FrozenModel } from '../../src/compile/freeze/freeze.ts';
import { FreezeRefusal } from '../../src/compile/freeze/freeze-refusal.ts';
import { type AttrProto, dataType, type NodeProto } from '../../src/compile/graph/proto.ts';
import { loadTensorFlow, type TensorFlow } from '../../src/inference/engines/tensorflow.ts';
import { runSavedModel, writeFrozen } from '../fixtures/frozen-models.ts';
import { type GraphChoice, toConst, toNode, toShape, writeSavedModel } from '../fixtures/saved-model-files.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const float: AttrProto = { type: dataType.float };
const bool: AttrProto = { type: dataType.bool };
const serving = { tags: ['serve'], signature: 'serving_default' };
const weights = toConst('weights', [3, 2], [1, 2, 3, 4, 5, 6]);
const scores = toNode('scores', 'MatMul', ['x', 'weights'], { T: float });

async function startTensorFlow(): Promise<TensorFlow> {
  const tf = loadTensorFlow();
  await tf.setBackend('tensorflow');
  return tf;
}

async function freeze(dir: string, tags = serving.tags, signature = serving.signature): Promise<FrozenModel> {
  return freezeSavedModel(await startTensorFlow(), dir, tags, signature);
}

/** Freezes a graph and runs both forms on the same numbers. */
async function checkSame(context: TestContext, nodes: NodeProto[], choice: GraphChoice = {}): Promise<FrozenModel> {
  const dir = makeTempDir(context);
  writeSavedModel(dir, [nodes, choice]);
  const frozen = await freeze(dir);
  const frozenDir = path.join(dir, 'frozen');
  writeFrozen(frozenDir, frozen);
  const tf = await startTensorFlow();
  for (const count of [1, 3]) {
    const values = Array.from({ length: count * 3 }, Math.random);
    const input = { shape: [count, 3], values, dtype: dataType.float };
    const [before, after] = [
      await runSavedModel(tf, dir, serving, input),
      await runSavedModel(tf, frozenDir, serving, input),
    ];
    assert.equal(before['scores']?.length, count * 2);
    assert.ok(before['scores'].every((score) => score > 0));
    assert.deepEqual(after, before);
  }
  return frozen;
}

/** Makes a variable that the model's init node sets. */
function makeVariable(isResource: boolean): NodeProto[] {
  const attr = { dtype: float, shape: { shape: toShape([3, 2]) } };
  if (!isResource) {
    const reference = toNode('variable', 'VariableV2', [], attr);
    return [reference, weights, toNode('init', 'Assign', ['variable', 'weights'], { T: float })];
  }
  const handle = toNode('variable', 'VarHandleOp', [], { ...attr, shared_name: { s: Buffer.from('variable') } });
  return [handle, weights, toNode('init', 'AssignVariableOp', ['variable', 'weights'], { dtype: float })];
}

function toOps(graph: FrozenModel['graph']): string[] {
  return graph.node.map(({ op }) => op).sort();
}

async function checkRefused(dir: string, reason: RegExp): Promise<void> {
  await assert.rejects(freeze(dir), (error) => {
    assert.ok(error instanceof FreezeRefusal, String(error));
    assert.match(error.message, reason);
    return true;
  });
}

test('a_frozen_model_stays_what_it_is', async (context) => {
  const { graph, input, outputs } = await checkSame(context, [weights, scores]);
  assert.deepEqual(toOps(graph), ['Const', 'MatMul', 'Placeholder']);
  assert.deepEqual(graph.versions, { producer: 1087 });
  assert.deepEqual(input, { name: 'x:0', dtype: dataType.float, shape: toShape([-1, 3]) });
  assert.deepEqual(outputs['scores']?.name, 'scores:0');
});

test('a_resource_variable_becomes_a_constant_with_the_value_that_loading_gave_it', async (context) => {
  const read = toNode('read', 'ReadVariableOp', ['variable'], { dtype: float });
  const product = toNode('scores', 'MatMul', ['x', 'read'], { T: float });
  const { graph } = await checkSame(context, [...makeVariable(true), read, product], { init: 'init' });
  assert.deepEqual(toOps(graph), ['Const', 'MatMul', 'Placeholder']);
});

test('a_reference_variable_becomes_a_constant_with_the_value_that_loading_gave_it', async (context) => {
  const read = toNode('read', 'Identity', ['variable'], { T: float });
  const product = toNode('scores', 'MatMul', ['x', 'read'], { T: float });
  const { graph } = await checkSame(context, [...makeVariable(false), read, product], { init: 'init' });
  assert.deepEqual(toOps(graph), ['Const', 'MatMul', 'Placeholder']);
});

test('the_branch_for_training_goes_with_the_variable_that_it_writes', async (context) => {
  const flag = toNode('flag', 'Const', [], {
    dtype: bool,
    value: { tensor: { dtype: dataType.bool, tensorShape: toShape([]), boolVal: [false] } },
  });
  const nodes = [
    ...[
      weights,
      flag,
      toNode('training', 'PlaceholderWithDefault', ['flag'], { dtype: bool, shape: { shape: toShape([]) } }),
    ],
    toNode('both', 'LogicalAnd', ['training', 'training']),
    toNode('switch', 'Switch', ['x', 'both'], { T: float }),
    toNode('pivot', 'Identity', ['switch:1'], { T: float }),
    toNode('variable', 'VariableV2', [], { dtype: float, shape: { shape: toShape([3, 2]) } }),
    toNode('written', 'Assign', ['variable', 'weights', '^pivot'], { T: float }),
    toNode('served', 'MatMul', ['switch', 'weights'], { T: float }),
    toNode('trained', 'MatMul', ['switch:1', 'weights', '^written'], { T: float }),
    toNode('scores', 'Merge', ['trained', 'served'], { T: float, N: { i: 2 } }),
  ];
  const { graph } = await checkSame(context, nodes);
  assert.deepEqual(toOps(graph), ['Const', 'MatMul', 'Placeholder']);
});

test('what_does_not_depend_on_the_input_is_computed_once', async (context) => {
  const doubled = toNode('doubled', 'AddV2', ['weights', 'weights'], { T: float });
  const product = toNode('scores', 'MatMul', ['x', 'doubled'], { T: float });
  const { graph } = await checkSame(context, [weights, doubled, product]);
  assert.deepEqual(toOps(graph), ['Const', 'MatMul', 'Placeholder']);
});

test('only_the_meta_graph_with_exactly_the_tags_is_frozen', async (context) => {
  const dir = makeTempDir(context);
  const other = toConst('weights', [3, 2], [9, 9, 9, 9, 9, 9]);
  writeSavedModel(dir, [[weights, scores], { tags: ['serve', 'gpu'] }], [[other, scores]]);
  const frozen = await freeze(dir);
  const constant = frozen.graph.node.find(({ name }) => name === 'weights');
  assert.equal(constant?.attr['value']?.tensor?.floatVal?.[0], 9);
  await assert.rejects(freeze(dir, ['gpu']), /saved_model\.pb has no tag set gpu; it has gpu, serve \| serve$/);
});

test('an_unknown_signature_is_answered_with_those_there_are', async (context) => {
  const dir = makeTempDir(context);
  writeSavedModel(dir, [[...makeVariable(true), scores], { init: 'init' }]);
  const message = /saved_model\.pb has no signature classify; it has serving_default$/;
  await assert.rejects(freeze(dir, ['serve'], 'classify'), message);
});

test('a_truncated_file_is_named_with_the_reason', async (context) => {
  const dir = makeTempDir(context);
  const file = path.join(dir, 'saved_model.pb');
  await assert.rejects(freeze(dir), /ENOENT.*saved_model\.pb/);
  writeSavedModel(dir, [[weights, scores]]);
  writeFileSync(file, readFileSync(file).subarray(0, 150));
  await assert.rejects(freeze(dir), /saved_model\.pb is damaged: index out of range/);
});

test('a_variable_that_nothing_sets_is_named', async (context) => {
  const dir = makeTempDir(context);
  const read = toNode('read', 'ReadVariableOp', ['variable'], { dtype: float });
  writeSavedModel(dir, [[...makeVariable(true), read, toNode('scores', 'MatMul', ['x', 'read'], { T: float })]]);
  await assert.rejects(freeze(dir), (error) => {
    assert.ok(error instanceof Error && !(error instanceof FreezeRefusal));
    assert.equal(error.message, `${dir} can't be loaded: it restores no value for the variable variable`);
    return true;
  });
});

test('several_inputs_and_text_are_refused', async (context) => {
  const dir = makeTempDir(context);
  const sum = [weights, toNode('sum', 'AddV2', ['x', 'y'], { T: float }), scores];
  writeSavedModel(dir, [sum, { inputs: ['x', 'y'] }]);
  await checkRefused(dir, /takes 2 inputs \(x, y\), not one/);
  writeSavedModel(dir, [sum, { inputs: [] }]);
  await checkRefused(dir, /takes 0 inputs/);
  writeSavedModel(dir, [[weights, scores], { inputType: dataType.string }]);
  await checkRefused(dir, /the input x of the signature serving_default is text, not pixels/);
});

test('a_custom_operation_is_refused_by_its_name', async (context) => {
  const dir = makeTempDir(context);
  writeSavedModel(dir, [[weights, toNode('scores', 'Sharpen', ['x', 'weights'])]]);
  await checkRefused(dir, /^TensorFlow has no operation Sharpen$/);
});

test('a_variable_that_is_written_is_refused', async (context) => {
  const dir = makeTempDir(context);
  for (const isResource of [true, false]) {
    const read = isResource
      ? toNode('read', 'ReadVariableOp', ['variable', '^init'], { dtype: float })
      : toNode('read', 'Identity', ['variable', '^init'], { T: float });
    const product = toNode('scores', 'MatMul', ['x', 'read'], { T: float });
    writeSavedModel(dir, [[...makeVariable(isResource), read, product]]);
    await checkRefused(dir, /^Assign(VariableOp)? init writes a variable$/);
  }
});

test('weights_beyond_what_a_graph_can_hold_are_refused_before_they_are_read', async (context) => {
  const dir = makeTempDir(context);
  const attr = { dtype: float, shape: { shape: toShape([600_000, 1000]) } };
  const read = toNode('read', 'ReadVariableOp', ['variable'], { dtype: float });
  const product = toNode('scores', 'MatMul', ['x', 'read'], { T: float });
  writeSavedModel(dir, [[toNode('variable', 'VarHandleOp', [], attr), read, product]]);
  await checkRefused(dir, /^its weights take 2\.4 GB, more than one graph can hold$/);
});

test('an_unfed_placeholder_and_a_missing_node_are_refused', async (context) => {
  const dir = makeTempDir(context);
  const other = toNode('weights', 'Placeholder', [], { dtype: float });
  writeSavedModel(dir, [[other, scores]]);
  await checkRefused(dir, /^the placeholder weights is not an input of the signature$/);
  writeSavedModel(dir, [[scores]]);
  await checkRefused(dir, /^the graph lacks weights$/);
});

test('a_loop_is_refused_however_deep_the_network', async (context) => {
  const dir = makeTempDir(context);
  const chain = Array.from({ length: 20_000 }, (_, at) =>
    toNode(`n${String(at)}`, 'Relu', [at === 0 ? 'x' : `n${String(at - 1)}`], { T: float }),
  );
  const looping = toNode('n5', 'Relu', ['n19999'], { T: float });
  writeSavedModel(dir, [[...chain.toSpliced(5, 1, looping), toNode('scores', 'Relu', ['n19999'], { T: float })]]);
  await checkRefused(dir, /^Relu n19999 is part of a loop$/);
});

test('a_random_answer_is_refused_with_and_without_definitions', async (context) => {
  const dir = makeTempDir(context);
  const shape = toNode('shape', 'Shape', ['x'], { T: float });
  const random = toNode('scores', 'RandomStandardNormal', ['shape'], { dtype: float });
  for (const ops of [[], [{ name: random.op, inputArg: [], outputArg: [], isStateful: true }]]) {
    writeSavedModel(dir, [[shape, random], { ops }]);
    await checkRefused(dir, /^its answer depends on more than its input and weights: RandomStandardNormal scores$/);
  }
});
