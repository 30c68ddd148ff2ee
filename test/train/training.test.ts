import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { Tensor } from '@tensorflow/tfjs-core';
import { ExitError } from '../../src/errors.ts';
import { createEngine } from '../../src/inference/engines/create-engine.ts';
import { loadTensorFlow } from '../../src/inference/engines/tensorflow.ts';
import { verifyGolden } from '../../src/inference/golden.ts';
import { loadModelFiles } from '../../src/model/model-files.ts';
import { toManifest } from '../../src/model/manifest.ts';
import { fitNetwork } from '../../src/train/fit.ts';
import { createNetwork } from '../../src/train/network.ts';
import { trainQuality } from '../../src/train/quality.ts';
import { renderSamples, toRaster } from '../../src/train/samples.ts';
import { drawScene } from '../../src/train/scene.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

// Sums in several threads come in any order, and then the same seed gives other weights.
process.env['TF_NUM_INTRAOP_THREADS'] = '1';

const toPhoto = (seed: number) => ({
  ...drawScene(seed, 96, 64),
  file: `scene-${String(seed)}`,
  source: { origin: 'code', licence: 'none' },
});

async function makePhotosDir(dir: string): Promise<string> {
  for (const seed of [1, 2]) writeFileSync(path.join(dir, `${String(seed)}.jpg`), await makePhoto(seed, 96, 64));
  return dir;
}

function assertRefused(training: Promise<unknown>, message: RegExp): Promise<void> {
  return assert.rejects(training, (thrown: unknown) => {
    assert.ok(thrown instanceof ExitError, String(thrown));
    assert.equal(thrown.exitCode, 78);
    assert.match(thrown.message, message);
    return true;
  });
}

test('a_tiny_training_replaces_a_model_by_one_that_can_be_served', async (context) => {
  const photosDir = await makePhotosDir(makeTempDir(context));
  const outDir = path.join(makeTempDir(context), 'quality', '1');
  const phases = new Map<string, string>();
  const options = { photosDir, outDir, seed: 3, epochs: 1 };
  await trainQuality({ ...options, onProgress: () => undefined });
  const first = toManifest(readFileSync(path.join(outDir, 'manifest.json'), 'utf8'));
  writeFileSync(path.join(outDir, 'left-over'), '');
  const figures = await trainQuality({
    ...options,
    onProgress: (phase, done, total) => phases.set(phase, `${String(done)}/${String(total)}`),
  });

  assert.deepEqual(
    [...phases],
    [
      ['photographs', '2/2'],
      ['samples', '60/60'],
      ['training', '2/2'],
      ['evaluation', '40/40'],
    ],
  );
  assert.equal(figures.heldOut.length, 1);
  assert.deepEqual(readdirSync(outDir).sort(), [
    'MODEL_CARD.md',
    'golden',
    'manifest.json',
    'model.json',
    'weights.bin',
  ]);
  assert.deepEqual(readdirSync(path.dirname(outDir)), ['1']);
  assert.match(readFileSync(path.join(outDir, 'MODEL_CARD.md'), 'utf8'), /--seed 3 --epochs 1/);

  const manifest = toManifest(readFileSync(path.join(outDir, 'manifest.json'), 'utf8'));
  const model = { name: 'quality', version: '1', dir: outDir, manifest };
  assert.deepEqual(Object.keys(manifest.files), ['model.json', 'weights.bin']);
  assert.deepEqual(manifest.files, first.files, 'a seed trains the same weights again');
  const loaded = await (await createEngine('tensorflow')).loadModel(model, await loadModelFiles(model));
  assert.equal(manifest.golden.length, 4);
  for (const golden of manifest.golden) {
    const raster = await toRaster(readFileSync(path.join(outDir, golden.image)));
    verifyGolden({ ...golden, raster }, await loaded.run(raster, 1));
  }
});

test('fitting_lowers_the_loss_and_leaves_no_tensor_behind', async () => {
  const tf = await loadTensorFlow();
  const samples = await renderSamples([toPhoto(1), toPhoto(2)], 32, 1);
  const before = tf.memory().numTensors;
  const network = createNetwork(tf, 1);
  const losses: number[] = [];
  fitNetwork(tf, network, samples, { epochs: 12, seed: 1, onBatch: (_done, _total, loss) => losses.push(loss) });
  network.dispose();
  assert.equal(tf.memory().numTensors, before);
  const mean = (some: readonly number[]) => some.reduce((sum, loss) => sum + loss, 0) / some.length;
  const [first, last] = [mean(losses.slice(0, 4)), mean(losses.slice(-4))];
  assert.equal(losses.length, 24);
  assert.ok(last < first * 0.6, `from ${String(first)} to ${String(last)}`);
});

test('a_plain_picture_weighs_no_more_than_another_in_the_gradient', async () => {
  const tf = await loadTensorFlow();
  const network = createNetwork(tf, 1);
  const variable = network.getLayer('convolution5').trainableWeights[0]?.read();
  assert.ok(variable instanceof tf.Variable);
  tf.tidy(() => {
    const measure = () => tf.sum(network.apply(tf.fill([1, 192, 192, 3], -0.9)) as Tensor).asScalar();
    const { grads } = tf.variableGrads(measure, [variable]);
    const gradient = grads[variable.name];
    assert.ok(gradient);
    const step = 1e-3;
    const before = measure().arraySync();
    variable.assign(variable.add(gradient.mul(step)));
    const slope = (measure().arraySync() - before) / step;
    const expected = Number(gradient.square().sum().arraySync());
    assert.ok(Math.abs(slope / expected - 1) < 0.1, `slope ${String(slope)}, gradient ${String(expected)}`);
  });
  network.dispose();
});

test('a_folder_that_holds_something_else_is_refused_and_left_as_it_is', async (context) => {
  const [photosDir, outDir] = [await makePhotosDir(makeTempDir(context)), makeTempDir(context)];
  writeFileSync(path.join(outDir, 'thesis.txt'), 'years of work');
  const training = trainQuality({ photosDir, outDir, seed: 1, epochs: 1, onProgress: () => undefined });
  await assertRefused(training, /holds something else than a model/);
  assert.deepEqual(readdirSync(outDir), ['thesis.txt']);
});

test('a_file_in_the_place_of_the_folder_is_refused_and_left_as_it_is', async (context) => {
  const photosDir = await makePhotosDir(makeTempDir(context));
  const outDir = path.join(photosDir, '1.jpg');
  const training = trainQuality({ photosDir, outDir, seed: 1, epochs: 1, onProgress: () => undefined });
  await assertRefused(training, /the model can't go there: /);
  assert.ok(existsSync(outDir));
});

test('numbers_that_do_not_fit_are_refused_before_any_work', async (context) => {
  const dir = makeTempDir(context);
  const options = { photosDir: dir, outDir: path.join(dir, 'out'), onProgress: () => assert.fail('it started') };
  await assertRefused(trainQuality({ ...options, seed: 1, epochs: 0 }), /epochs must be a whole number from 1: 0/);
  await assertRefused(trainQuality({ ...options, seed: Number('x') }), /seed must be a whole number from 0: NaN/);
});

test('a_training_without_photographs_leaves_the_model_that_was_there', async (context) => {
  const dir = makeTempDir(context);
  writeFileSync(path.join(dir, 'manifest.json'), '{}');
  const training = trainQuality({ photosDir: dir, outDir: dir, seed: 1, onProgress: () => undefined });
  await assertRefused(training, /no photograph in /);
  assert.deepEqual(readdirSync(dir), ['manifest.json']);
});
