import assert from 'node:assert/strict';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import { compileModel } from '../../src/compile/compile-model.ts';
import { dataType } from '../../src/compile/graph/proto.ts';
import { loadCompiledModel } from '../../src/inference/engines/compiled-model.ts';
import { loadOriginalModel } from '../../src/inference/engines/original-model.ts';
import { createWasmEngine } from '../../src/inference/engines/wasm-engine.ts';
import { loadModelFiles } from '../../src/model/model-files.ts';
import type { ModelVersion } from '../../src/model/model-version.ts';
import { type AddedModel, addModel } from '../../src/model-import/add-model.ts';
import type { ModelChoices } from '../../src/model-import/model-choices.ts';
import { makeNumbers, makeRaster, startTensorFlow, writeModel } from '../fixtures/compile-models.ts';
import { GraphFiles } from '../fixtures/graph-files.ts';
import { toLayersFiles } from '../fixtures/layers-files.ts';
import { makePictureSavedModel } from '../fixtures/picture-saved-model.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { type Files, writeFiles } from '../fixtures/write-files.ts';

const tf = await startTensorFlow();
const { layers } = tf;
const limits = { maxPixels: 1e6, decodeTimeoutMs: 5000, maxDecodeBytes: Infinity };

/** What Pillow's `convert('L')` makes of a pixel. */
function toLuma(red: number, green: number, blue: number): number {
  return (red * 19_595 + green * 38_470 + blue * 7_471 + 32_768) >> 16;
}

/** Mean luma of each 8 × 8 pixels of a 16 × 16 raster, in 0…1. */
function toQuarters(raster: Uint8Array): number[] {
  const sums = [0, 0, 0, 0];
  for (let at = 0; at < 256; at += 1) {
    const quarter = Math.floor((at % 16) / 8) + 2 * Math.floor(at / 128);
    const [red = 0, green = 0, blue = 0] = raster.subarray(at * 3);
    sums[quarter] = (sums[quarter] ?? 0) + toLuma(red, green, blue) / 64 / 255;
  }
  return sums;
}

/** A layers model of one channel whose map is the mean of each 8 × 8 pixels, and its scores the largest and its opposite. */
function makeMapFiles(): Promise<[string, Buffer][]> {
  const input = tf.input({ shape: [16, 16, 1] });
  const pooled = layers.averagePooling2d({ poolSize: 8 }).apply(input) as SymbolicTensor;
  const weights = [tf.tensor4d([1, -1], [1, 1, 1, 2])];
  const map = layers.conv2d({ filters: 2, kernelSize: 1, useBias: false, weights }).apply(pooled) as SymbolicTensor;
  const scores = layers.globalMaxPooling2d({}).apply(map) as SymbolicTensor;
  return toLayersFiles(tf.model({ inputs: input, outputs: [scores, map] }));
}

/** A classifier of digits, its weights left to chance. */
function makeDigits(shape: (number | null)[] = [28, 28, 1]): Promise<[string, Buffer][]> {
  const random = (length: number, sizes: [number, number]) => tf.tensor2d(makeNumbers(length), sizes);
  const network = tf.sequential({
    layers: [
      layers.conv2d({ inputShape: shape, filters: 4, kernelSize: 3, activation: 'relu' }),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 10, activation: 'softmax', weights: [random(40, [4, 10]), tf.zeros([10])] }),
    ],
  });
  return toLayersFiles(network);
}

function makeGraph(channels: number): Files {
  return new GraphFiles([-1, 16, 16, channels])
    .ints('axes', [1, 2])
    .apply('means', 'Mean', ['x', 'axes'], { Tidx: { type: 'DT_INT32' }, keep_dims: { b: false } })
    .floats('w', [channels, 2], new Array(2 * channels).fill(0.5))
    .apply('scores', 'MatMul', ['means', 'w'], { transpose_a: { b: false }, transpose_b: { b: false } })
    .toFiles();
}

function add(
  context: TestContext,
  files: Files,
  choices: ModelChoices = {},
  golden: readonly string[] = [],
): Promise<AddedModel> {
  return addModel({
    ...{ source: writeFiles(context, files), modelsDir: makeTempDir(context), choices, name: 'grey', version: '1' },
    ...{ golden, limits, compile: { cacheDir: makeTempDir(context), environment: process.env } },
  });
}

/** Asserts that every form of a model gives the scores of the mean luma in 0…1. */
async function assertLuma(context: TestContext, model: ModelVersion, toScores: (mean: number) => number[]) {
  const raster = makeRaster(7).subarray(0, model.manifest.input.width * model.manifest.input.height * 3);
  const lumas = Array.from({ length: raster.length / 3 }, (_, at) => {
    const [red = 0, green = 0, blue = 0] = raster.subarray(at * 3);
    return toLuma(red, green, blue);
  });
  const expected = toScores(lumas.reduce((sum, luma) => sum + luma, 0) / lumas.length / 255);
  const original = await loadOriginalModel(tf, model, await loadModelFiles(model));
  const compiled = await loadCompiledModel(model, path.join(model.dir, 'compiled'));
  for (const form of [original, compiled]) {
    const scores = [...(await form.run(raster.slice(), 1))];
    assert.equal(scores.length, expected.length);
    for (const [index, score] of scores.entries()) {
      assert.ok(Math.abs(score - (expected[index] ?? NaN)) < 1e-5, `${form.form}: ${scores.join(', ')}`);
    }
    form.dispose();
  }
  context.diagnostic(expected.join(', '));
}

test('a_network_of_one_channel_is_added_as_grey_and_served_compiled', async (context) => {
  const { model, outcome } = await add(context, await makeDigits());
  assert.equal(outcome.kind, 'compiled');
  const { input, golden } = model.manifest;
  assert.deepEqual([input.colour, input.width, input.height], ['grey', 28, 28]);
  assert.deepEqual(input.normalise, { scale: 1 / 255, offset: 0 });
  assert.equal(golden.length, 1, 'what was drawn is a golden image');
});

test('a_network_of_one_channel_sees_the_luma_of_a_picture', async (context) => {
  const dir = makeTempDir(context);
  const orange = path.join(dir, 'orange.png');
  const create = { width: 30, height: 20, channels: 3 as const, background: { r: 255, g: 128, b: 0 } };
  await sharp({ create }).png().toFile(orange);
  const graph = await add(context, makeGraph(1), { scale: 1 / 255 }, [orange]);
  assert.equal(graph.model.manifest.input.colour, 'grey');
  const [golden] = graph.model.manifest.golden;
  for (const score of golden?.scores ?? [NaN]) assert.ok(Math.abs(score - (0.5 * 151) / 255) < 1e-4, String(score));
  await assertLuma(context, graph.model, (mean) => [mean / 2, mean / 2]);
});

test('a_saved_model_of_one_channel_sees_the_luma_in_every_type', async (context) => {
  for (const dtype of [dataType.float, dataType.uint8, dataType.int32]) {
    const files = [['saved_model.pb', makePictureSavedModel([-1, 1], dtype, ['x'], 1)]] as const;
    const { model, outcome } = await add(context, files, { scale: 1 });
    assert.equal(outcome.kind, 'compiled');
    assert.equal(model.manifest.input.colour, 'grey');
    await assertLuma(context, model, (mean) => [mean]);
  }
});

test('a_map_of_one_channel_lies_over_the_raster', async (context) => {
  const files = await makeMapFiles();
  const map = { tensor: '1', width: 2, height: 2 };
  const { model } = writeModel(makeTempDir(context), files, {
    format: 'tfjs-layers',
    input: { colour: 'grey', normalise: { scale: 1 / 255, offset: 0 } },
    output: { labels: ['light', 'dark'], map },
  });
  const options = { cacheDir: makeTempDir(context), rasters: [makeRaster(1)], environment: process.env };
  const outcome = await compileModel(tf, model, new Map(files), options);
  assert.ok(outcome.kind === 'compiled', outcome.kind === 'refused' ? outcome.reason : '');
  const raster = makeRaster(2);
  const expected = toQuarters(raster);
  const original = await loadOriginalModel(tf, model, new Map(files));
  const compiled = await loadCompiledModel(model, outcome.dir);
  for (const form of [original, compiled]) {
    const explained = await form.explain?.(raster.slice(), 1);
    assert.ok(explained);
    for (const [cell, mean] of expected.entries()) {
      assert.ok(Math.abs((explained.maps[cell * 2] ?? NaN) - mean) < 1e-5, `${form.form}, cell ${String(cell)}`);
    }
    assert.ok(Math.abs((explained.scores[0] ?? NaN) - Math.max(...expected)) < 1e-5);
  }
});

test('wasm_gives_the_same_scores', async (context) => {
  const { model } = await add(context, await makeDigits(), { scale: 1 / 127.5, offset: -1 });
  const files = await loadModelFiles(model);
  const raster = Uint8Array.from(makeNumbers(28 * 28 * 3, 5), (value) => Math.round((value + 1) * 127.5));
  const original = await loadOriginalModel(tf, model, files);
  const expected = await original.run(raster.slice(), 1);
  context.after(() => tf.setBackend('tensorflow'));
  const wasm = await (await createWasmEngine()).loadModel(model, files);
  const scores = await wasm.run(raster.slice(), 1);
  for (const [index, score] of scores.entries()) assert.ok(Math.abs(score - (expected[index] ?? NaN)) < 1e-5);
  assert.ok(new Set(scores).size > 1);
});

test('channels_that_are_not_those_of_the_network_are_refused', async (context) => {
  const one = await makeDigits();
  await assert.rejects(add(context, one, { colour: 'rgb' }), /is \[n, 28, 28, 1\], --colour says rgb/);
  await assert.rejects(add(context, one, { colour: 'bgr' }), /--colour says bgr/);
  await assert.rejects(add(context, makeGraph(3), { colour: 'grey' }), /is \[n, 16, 16, 3\], --colour says grey/);
  await assert.rejects(
    add(context, makeGraph(2)),
    /only \[n, height, width, 3\] and \[n, height, width, 1\] are served/,
  );
  await assert.rejects(add(context, one, { scale: [1, 2, 3] }), /one number each for a network of one channel/);
});
