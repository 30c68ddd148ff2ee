import assert from 'node:assert/strict';
import path from 'node:path';
import test, { after, describe, type TestContext } from 'node:test';
import { freezeSavedModel } from '../../src/compile/freeze/freeze.ts';
import { FreezeRefusal } from '../../src/compile/freeze/freeze-refusal.ts';
import { dataType } from '../../src/compile/graph/proto.ts';
import { loadTensorFlow, type TensorFlow } from '../../src/inference/engines/tensorflow.ts';
import { runSavedModel, writeFrozen } from '../fixtures/frozen-models.ts';
import { findPythonTensorFlow, makeSavedModels } from '../fixtures/python-tensorflow.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const serving = { tags: ['serve'], signature: 'serving_default' };
const gone =
  /^(VarHandleOp|Variable|VariableV2|ReadVariableOp|RestoreV2|SaveV2|NoOp|Identity|(Stateful)?PartitionedCall|Switch|Merge|If)$/;

async function startTensorFlow(): Promise<TensorFlow> {
  const tf = loadTensorFlow();
  await tf.setBackend('tensorflow');
  return tf;
}

describe('what Python exports', () => {
  // Made once for all tests, as TensorFlow takes longer to start than to make the models.
  let made: { readonly dir: string; readonly names: readonly string[] } | undefined;
  const cleanUps: (() => void)[] = [];
  after(() => {
    for (const cleanUp of cleanUps) cleanUp();
  });

  function findExports(context: TestContext): typeof made {
    const python = made === undefined ? findPythonTensorFlow(context) : undefined;
    if (python === undefined) return made;
    const dir = makeTempDir({ after: (cleanUp) => cleanUps.push(cleanUp as () => void) });
    made = { dir, names: makeSavedModels(python, dir) };
    return made;
  }

  async function checkSame(dir: string, frozenDir: string, choice = serving): Promise<void> {
    const tf = await startTensorFlow();
    const frozen = await freezeSavedModel(tf, dir, choice.tags, choice.signature);
    const left = frozen.graph.node.filter(
      ({ op, input }) => gone.test(op) || input.some((each) => each.startsWith('^')),
    );
    assert.deepEqual(left, []);
    assert.equal(frozen.graph.library, undefined);
    writeFrozen(frozenDir, frozen);
    const dtype = frozen.input.dtype;
    for (const count of [1, 3]) {
      const random = Array.from({ length: count * 16 * 16 * 3 }, () => Math.random());
      const values = dtype === dataType.uint8 ? random.map((value) => Math.floor(value * 256)) : random;
      const input = { shape: [count, 16, 16, 3], values, dtype };
      const before = await runSavedModel(tf, dir, choice, input);
      const after = await runSavedModel(tf, frozenDir, serving, input);
      assert.deepEqual(Object.keys(after).sort(), Object.keys(before).sort());
      for (const [name, scores] of Object.entries(before)) checkClose(after[name] ?? [], scores, name);
    }
  }

  function checkClose(actual: readonly number[], expected: readonly number[], name: string): void {
    assert.equal(actual.length, expected.length);
    assert.ok(new Set(expected).size > 1, `${name} says something`);
    const differences = expected.map(
      (value, at) => Math.abs(value - (actual[at] ?? NaN)) / Math.max(1, Math.abs(value)),
    );
    const largest = Math.max(...differences);
    assert.ok(largest < 1e-5, `${name} differs by ${String(largest)}`);
  }

  const faithful = ['keras', 'keras_saved', 'keras_format_tf', 'uint8', 'several_signatures', 'nested_functions'];
  faithful.push('element_types', 'embedding', 'training_flag');
  faithful.push('tf1_reference', 'tf1_resource', 'several_tags', 'frozen');
  for (const name of faithful) {
    test(`${name}_answers_the_same_when_frozen`, async (context) => {
      const exports = findExports(context);
      if (exports === undefined) return;
      if (!exports.names.includes(name)) {
        context.skip(`this version of Keras doesn't export ${name}`);
        return;
      }
      await checkSame(path.join(exports.dir, name), path.join(exports.dir, `${name}-frozen`));
    });
  }

  test('another_signature_and_another_tag_set_are_frozen_too', async (context) => {
    const exports = findExports(context);
    if (exports === undefined) return;
    const { dir } = exports;
    const other = { tags: ['serve'], signature: 'other' };
    await checkSame(path.join(dir, 'several_signatures'), path.join(dir, 'other-frozen'), other);
    const twice = { tags: ['twice', 'serve'], signature: 'serving_default' };
    await checkSame(path.join(dir, 'several_tags'), path.join(dir, 'twice-frozen'), twice);
  });

  const refused: Record<string, RegExp> = {
    training_branches: /^the model has no definition of the operation TopKV2$/,
    branch_on_input: /^If \S+ takes a branch that depends on the input$/,
    loop: /^While \S+ is control flow that can't be followed$/,
    tf1_loop: /^\S+ \S+ is part of a loop$/,
    table: /^its answer depends on a lookup table: HashTableV2 \S+$/,
    random: /^its answer depends on more than its input and weights: RandomUniform \S+$/,
    counter: /^AssignAddVariableOp \S+ writes a variable$/,
    text_input: /^the input b64 of the signature serving_default is text, not pixels$/,
    two_inputs: /^the signature serving_default takes 2 inputs \(.*\), not one$/,
  };
  for (const [name, reason] of Object.entries(refused)) {
    test(`${name}_is_refused_with_its_reason`, async (context) => {
      const exports = findExports(context);
      if (exports === undefined) return;
      const tf = await startTensorFlow();
      const freezing = freezeSavedModel(tf, path.join(exports.dir, name), serving.tags, serving.signature);
      await assert.rejects(freezing, (error) => {
        assert.ok(error instanceof FreezeRefusal, String(error));
        assert.match(error.message, reason);
        return true;
      });
    });
  }
});
