import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { compileModel } from '../../src/compile/compile-model.ts';
import { toConstNode, toFloatConstant, toIntConstant } from '../../src/compile/graph/constant.ts';
import { dataType, decodeSavedModel, encodeSavedModel, type NodeProto } from '../../src/compile/graph/proto.ts';
import { loadCompiledModel } from '../../src/inference/engines/compiled-model.ts';
import { loadOriginalModel } from '../../src/inference/engines/original-model.ts';
import {
  makeNumbers,
  makeRaster,
  type ManifestParts,
  startTensorFlow,
  writeModel,
  type WrittenModel,
} from '../fixtures/compile-models.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const tf = await startTensorFlow();
const float = { type: dataType.float };
const anySize = [-1, 16, 16, 3].map((size) => ({ size }));

/** A frozen SavedModel with node names that the compiler also uses. */
function writeSavedModel(context: TestContext, dtype: number, parts: Partial<ManifestParts>): WrittenModel {
  const input: NodeProto = {
    name: 'images',
    op: 'Placeholder',
    input: [],
    attr: { dtype: { type: dtype }, shape: { shape: { dim: anySize } } },
  };
  const cast = { SrcT: { type: dtype }, DstT: float };
  const node: NodeProto[] = [
    input,
    { name: 'pixels', op: 'Cast', input: ['images'], attr: cast },
    toConstNode('constant_0', toIntConstant([1, 2])),
    { name: 'mean', op: 'Mean', input: ['pixels', 'constant_0'], attr: { T: float, Tidx: { type: dataType.int32 } } },
    toConstNode(
      'm',
      toFloatConstant(
        makeNumbers(9).map((value) => value / 100),
        [3, 3],
      ),
    ),
    { name: 'scores', op: 'MatMul', input: ['mean', 'm'], attr: { T: float } },
  ];
  const signature = {
    inputs: { picture: { name: 'images:0', dtype, tensorShape: { dim: anySize } } },
    outputs: {
      answer: { name: 'scores:0', dtype: dataType.float, tensorShape: { dim: [{ size: -1 }, { size: 3 }] } },
      mean: { name: 'mean:0', dtype: dataType.float, tensorShape: { dim: [{ size: -1 }, { size: 3 }] } },
    },
    methodName: 'tensorflow/serving/predict',
  };
  const bytes = encodeSavedModel({
    savedModelSchemaVersion: 1,
    metaGraphs: [
      {
        metaInfoDef: { tags: ['serve'] },
        graphDef: { node, versions: { producer: 1087 } },
        signatureDef: { serving_default: signature },
      },
    ],
  });
  const { input: own, output } = parts;
  return writeModel(makeTempDir(context), [['saved_model.pb', Buffer.from(bytes)]], {
    format: 'tf-savedmodel',
    input: { tensor: 'picture', ...own },
    output: { tensor: 'answer', ...output },
  });
}

async function assertSame(context: TestContext, written: WrittenModel): Promise<string[]> {
  const { model, files } = written;
  const options = { cacheDir: makeTempDir(context), rasters: [makeRaster(1)], environment: process.env };
  const outcome = await compileModel(tf, model, files, options);
  assert.ok(outcome.kind === 'compiled', outcome.kind === 'refused' ? outcome.reason : '');
  const original = await loadOriginalModel(tf, model, files);
  const compiled = await loadCompiledModel(model, outcome.dir);
  const batch = Buffer.concat([makeRaster(2), makeRaster(3), makeRaster(4)]);
  const [expected, found] = [await original.run(batch, 3), await compiled.run(batch, 3)];
  assert.equal(original.form, 'saved-model');
  for (const [index, score] of expected.entries()) assert.ok(Math.abs(score - (found[index] ?? NaN)) < 1e-5);
  assert.ok(new Set(found).size > 1, 'the scores differ from one another');
  const { metaGraphs } = decodeSavedModel(readFileSync(path.join(outcome.dir, 'saved_model.pb')));
  return (metaGraphs[0]?.graphDef.node ?? []).map(({ op }) => op).filter((op) => op !== 'Const');
}

test('a_saved_model_of_floats_gets_normalisation_before_it_and_activation_after_it', async (context) => {
  const input = { colour: 'bgr', normalise: { scale: [0.1, 0.2, 0.3], offset: [1, 2, 3] } };
  const ops = await assertSame(
    context,
    writeSavedModel(context, dataType.float, { input, output: { activation: 'softmax' } }),
  );
  assert.equal(ops.at(-1), 'Softmax');
});

test('a_saved_model_of_bytes_gets_the_pixels_as_they_are', async (context) => {
  const input = { normalise: { scale: 1, offset: 0 } };
  const ops = await assertSame(context, writeSavedModel(context, dataType.uint8, { input }));
  assert.deepEqual(ops, ['Placeholder', 'Cast', 'Mean', 'MatMul', 'Identity']);
});

test('a_saved_model_of_int32_gets_numbers_of_its_type', async (context) => {
  const input = { normalise: { scale: 2, offset: 1 } };
  await assertSame(context, writeSavedModel(context, dataType.int32, { input }));
});

test('an_output_must_be_chosen_among_several', async (context) => {
  const { model, files } = writeSavedModel(context, dataType.float, { output: { tensor: 'nothing' } });
  const options = { cacheDir: makeTempDir(context), rasters: [], environment: process.env };
  await assert.rejects(compileModel(tf, model, files, options), /answer, mean; output\.tensor/);
});

test('a_truncated_saved_model_is_broken_not_refused', async (context) => {
  const { model, files } = writeSavedModel(context, dataType.float, {});
  const file = path.join(model.dir, 'saved_model.pb');
  writeFileSync(file, readFileSync(file).subarray(0, 200));
  await assert.rejects(
    compileModel(tf, model, files, { cacheDir: makeTempDir(context), rasters: [], environment: process.env }),
    { name: 'Error', message: 'Failure: Invalid byte length!' },
  );
});
