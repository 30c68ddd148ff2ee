import assert from 'node:assert/strict';
import test from 'node:test';
import { compileModel } from '../../src/compile/compile-model.ts';
import { CompileRefusal } from '../../src/compile/graph/compile-refusal.ts';
import { traceNetwork } from '../../src/compile/trace/trace.ts';
import { getNodeBackend } from '../../src/inference/engines/tensorflow-binding.ts';
import { startTensorFlow, writeModel, type WrittenModel } from '../fixtures/compile-models.ts';
import { GraphFiles } from '../fixtures/graph-files.ts';
import { makeSingleImageGraph } from '../fixtures/single-image-graph.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const tf = await startTensorFlow();

async function assertRefused({ model, files }: WrittenModel, reason: RegExp): Promise<void> {
  await assert.rejects(traceNetwork(tf, model, files), (thrown: unknown) => {
    assert.ok(thrown instanceof CompileRefusal, String(thrown));
    assert.match(thrown.message, reason);
    return true;
  });
}

test('a_model_for_one_image_at_a_time_is_refused_and_says_so', async (context) => {
  const parts = { format: 'tfjs-graph', input: { width: 8, height: 8 } } as const;
  const { model, files } = writeModel(makeTempDir(context), makeSingleImageGraph(), parts);
  const outcome = await compileModel(tf, model, files, {
    cacheDir: makeTempDir(context),
    rasters: [],
    environment: process.env,
  });
  assert.ok(outcome.kind === 'refused');
  assert.match(outcome.reason, /Input to reshape is a tensor with 384 values/);
});

test('a_model_whose_javascript_reads_the_pixels_is_refused', async (context) => {
  const files = new GraphFiles()
    .ints('axes', [1, 2, 3])
    .apply('mean', 'Mean', ['x', 'axes'], { keep_dims: { b: false } })
    .add({
      name: 'count',
      op: 'Cast',
      input: ['mean'],
      attr: { SrcT: { type: 'DT_FLOAT' }, DstT: { type: 'DT_INT32' } },
    })
    .ints('sizes', [-1, 768])
    .apply('flat', 'Reshape', ['x', 'sizes'])
    .floats('m', [768, 3])
    .apply('product', 'MatMul', ['flat', 'm'], { transpose_a: { b: false }, transpose_b: { b: false } })
    .apply('scores', 'Tile', ['product', 'count'])
    .toFiles();
  await assertRefused(
    writeModel(makeTempDir(context), files, { format: 'tfjs-graph' }),
    /reads values that depend on the image/,
  );
});

test('random_answers_are_refused', async (context) => {
  const files = new GraphFiles()
    .ints('axes', [1, 2])
    .apply('mean', 'Mean', ['x', 'axes'], { keep_dims: { b: false } })
    .ints('count', [3], [])
    .apply('drawn', 'Multinomial', ['mean', 'count'], { seed: { i: '1' } })
    .add({
      name: 'scores',
      op: 'Cast',
      input: ['drawn'],
      attr: { SrcT: { type: 'DT_INT32' }, DstT: { type: 'DT_FLOAT' } },
    })
    .toFiles();
  await assertRefused(writeModel(makeTempDir(context), files, { format: 'tfjs-graph' }), /Multinomial.*random/);
});

test('rows_that_differ_with_the_size_of_the_batch_are_refused', async (context) => {
  const files = new GraphFiles()
    .apply('shape', 'Shape', ['x'], { out_type: { type: 'DT_INT32' } })
    .ints('zero', [0])
    .ints('one', [1])
    .apply('batch', 'StridedSlice', ['shape', 'zero', 'one', 'one'], { shrink_axis_mask: { i: '1' } })
    .ints('from', [0], [])
    .ints('step', [1], [])
    .apply('range', 'Range', ['from', 'batch', 'step'], { Tidx: { type: 'DT_INT32' } })
    .add({
      name: 'place',
      op: 'Cast',
      input: ['range'],
      attr: { SrcT: { type: 'DT_INT32' }, DstT: { type: 'DT_FLOAT' } },
    })
    .ints('column', [-1, 1])
    .apply('rows', 'Reshape', ['place', 'column'])
    .ints('axes', [1, 2])
    .apply('mean', 'Mean', ['x', 'axes'], { keep_dims: { b: false } })
    .apply('scores', 'Add', ['mean', 'rows'])
    .toFiles();
  await assertRefused(writeModel(makeTempDir(context), files, { format: 'tfjs-graph' }), /depends on the batch size/);
});

test('scores_that_do_not_depend_on_the_image_are_refused', async (context) => {
  const int32 = { type: 'DT_INT32' };
  const files = new GraphFiles()
    .apply('shape', 'Shape', ['x'], { out_type: int32 })
    .ints('zero', [0])
    .ints('one', [1])
    .apply('batch', 'StridedSlice', ['shape', 'zero', 'one', 'one'], { shrink_axis_mask: { i: '1' } })
    .ints('labels', [3], [])
    .apply('sizes', 'Pack', ['batch', 'labels'], { T: int32, N: { i: '2' }, axis: { i: '0' } })
    .floats('half', [], [0.5])
    .apply('scores', 'Fill', ['sizes', 'half'])
    .toFiles();
  await assertRefused(
    writeModel(makeTempDir(context), files, { format: 'tfjs-graph', output: { tensor: 'scores' } }),
    /^its output scores does not depend on the image$/,
  );
});

test('the_binding_is_put_back_when_a_trace_fails', async (context) => {
  const { binding } = getNodeBackend(tf);
  const { model, files } = writeModel(makeTempDir(context), makeSingleImageGraph(), {
    format: 'tfjs-graph',
    input: { width: 8, height: 8 },
  });
  await assert.rejects(traceNetwork(tf, model, files), /Input to reshape is a tensor with 384 values/);
  assert.equal(getNodeBackend(tf).binding, binding);
});
