import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { loadTensorFlow } from '../../src/inference/engines/tensorflow.ts';
import { createBatch } from '../../src/train/learning/batch.ts';
import { createNetwork, toServing } from '../../src/train/learning/network.ts';
import { TrainableNetwork } from '../../src/train/learning/trainable-network.ts';
import { qualityLabels } from '../../src/train/samples/labels.ts';
import { toMapSize } from '../../src/train/samples/network-input.ts';
import { createRandom } from '../../src/train/samples/random.ts';
import type { Sample } from '../../src/train/samples/samples.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

// With several threads the order of sums, and so the result, varies.
process.env['TF_NUM_INTRAOP_THREADS'] = '1';
const tf = loadTensorFlow();

/** The smallest raster with a whole region of the map. */
const size = { width: 128, height: 96 };
const map = toMapSize(size);

/** A bright or dark picture; the first label tells which, and the map marks its left half. */
function makeSample(seed: number, weight = 1): Sample {
  const random = createRandom(seed);
  const isBright = seed % 2 === 0;
  const toTargets = (count: number, value: (at: number) => number) =>
    Float32Array.from({ length: count * 2 }, (_, at) => (at % 2 === 1 ? weight : value(at / 2)));
  return {
    raster: Uint8Array.from({ length: size.width * size.height * 3 }, () => (isBright ? 150 : 20) + 90 * random()),
    targets: toTargets(qualityLabels.length, (label) => (label === 0 && isBright ? 1 : 0)),
    mapTargets: toTargets(map.width * map.height * qualityLabels.length, (at) =>
      Math.floor(at / qualityLabels.length) % map.width < map.width / 2 ? 1 : 0,
    ),
  };
}

const samples = Array.from({ length: 8 }, (_, seed) => makeSample(seed));

/** Trains a new network for some steps. */
async function learn(steps: number): Promise<{ trainable: TrainableNetwork; losses: number[] }> {
  const trainable = new TrainableNetwork(tf, createNetwork(tf, 1, size, 'learning'));
  await trainable.setLearningRate(3e-3);
  const random = createRandom(1);
  const losses = Array.from({ length: steps }, () => trainable.trainOnBatch(samples, size, random));
  return { trainable, losses };
}

/** Computes scores and map of random pixels. */
function score(network: LayersModel, { width, height } = size): number[][] {
  return tf.tidy(() => {
    const picture = tf.randomUniform([2, height, width, 3], -1, 1, 'float32', 7);
    return (network.apply(picture) as Tensor[]).map((output) => [...output.dataSync()]);
  });
}

function measureDistance(one: readonly number[][], other: readonly number[][]): number {
  const flat = other.flat();
  assert.equal(one.flat().length, flat.length);
  return Math.max(...one.flat().map((value, at) => Math.abs(value - (flat[at] ?? Number.NaN))));
}

test('training_lowers_the_loss_and_leaks_no_tensor', async () => {
  const before = tf.memory().numTensors;
  const { trainable, losses } = await learn(24);
  tf.dispose((await trainable.save()).map(({ tensor }) => tensor));
  trainable.dispose();
  assert.equal(tf.memory().numTensors, before);
  assert.ok((losses.at(-1) ?? 1) < (losses[0] ?? 0) * 0.75, losses.join(' '));
});

test('a_restored_network_trains_on_like_the_one_that_was_saved', async () => {
  const before = tf.memory().numTensors;
  const { trainable } = await learn(3);
  const saved = await trainable.save();
  const restored = new TrainableNetwork(tf, createNetwork(tf, 99, size, 'learning'));
  await restored.restore(saved);
  tf.dispose(saved.map(({ tensor }) => tensor));
  const trainOn = async (one: TrainableNetwork) => {
    await one.setLearningRate(1e-3);
    const random = createRandom(8);
    return [1, 2, 3].map(() => one.trainOnBatch(samples, size, random));
  };
  assert.deepEqual(await trainOn(restored), await trainOn(trainable));
  restored.dispose();
  trainable.dispose();
  assert.equal(tf.memory().numTensors, before);
});

test('unknown_targets_change_no_weight', async () => {
  const trainable = new TrainableNetwork(tf, createNetwork(tf, 1, size, 'learning'));
  await trainable.setLearningRate(0.1);
  const weigh = () => trainable.network.trainableWeights.map((weight) => [...weight.read().dataSync()]);
  const before = weigh();
  assert.equal(trainable.trainOnBatch([makeSample(1, 0), makeSample(2, 0)], size, createRandom(1)), 0);
  assert.deepEqual(weigh(), before);
  trainable.dispose();
});

test('the_network_for_serving_gives_the_scores_of_the_trained_one', async () => {
  const { trainable } = await learn(6);
  const serving = toServing(tf, trainable.network, size);
  const distance = measureDistance(score(serving), score(trainable.network));
  assert.ok(distance < 1e-4, String(distance));
  const untrained = createNetwork(tf, 5, size, 'learning');
  assert.ok(measureDistance(score(serving), score(untrained)) > 0.01, 'another network has other scores');
  for (const network of [serving, untrained]) network.dispose();
  trainable.dispose();
});

test('weights_trained_on_a_small_raster_work_on_a_large_one', async () => {
  const large = { width: 256, height: 192 };
  const { trainable } = await learn(2);
  const serving = toServing(tf, trainable.network, large);
  const [scores, cells] = score(serving, large);
  assert.equal(scores?.length, 2 * qualityLabels.length);
  assert.equal(cells?.length, 2 * 8 * 6 * qualityLabels.length);
  serving.dispose();
  trainable.dispose();
});

test('both_outputs_are_saved_and_loaded', async (context) => {
  const dir = makeTempDir(context);
  const network = createNetwork(tf, 1, size, 'serving');
  await network.save(`file://${dir}`);
  const loaded = await tf.loadLayersModel(pathToFileURL(path.join(dir, 'model.json')).href);
  assert.deepEqual(
    loaded.outputs.map(({ shape }) => shape),
    [
      [null, qualityLabels.length],
      [null, map.height, map.width, qualityLabels.length],
    ],
  );
  assert.deepEqual(score(loaded), score(network));
  loaded.dispose();
  network.dispose();
});

test('the_gradient_of_a_uniform_picture_matches_the_slope', () => {
  const network = createNetwork(tf, 1, size, 'serving');
  const variable = network.getLayer('convolution5').trainableWeights[0]?.read();
  assert.ok(variable instanceof tf.Variable);
  tf.tidy(() => {
    const measure = () => {
      const [scores] = network.apply(tf.fill([1, size.height, size.width, 3], -0.9)) as Tensor[];
      assert.ok(scores);
      return tf.sum(scores).asScalar();
    };
    const { grads } = tf.variableGrads(measure, [variable]);
    const gradient = grads[variable.name];
    assert.ok(gradient);
    const step = 1e-2;
    const before = measure().arraySync();
    variable.assign(variable.add(gradient.mul(step)));
    const slope = (measure().arraySync() - before) / step;
    const expected = Number(gradient.square().sum().arraySync());
    assert.ok(Math.abs(slope / expected - 1) < 0.15, `slope ${String(slope)}, gradient ${String(expected)}`);
  });
  network.dispose();
});

test('flipping_a_picture_flips_its_map', () => {
  tf.tidy(() => {
    const [sample] = samples;
    assert.ok(sample);
    const show = (isFlipped: boolean, isUpsideDown: boolean) =>
      createBatch(tf, [sample], size, { isFlipped, isUpsideDown });
    const plain = show(false, false);
    for (const [isFlipped, isUpsideDown, axes] of [
      [true, false, [2]],
      [false, true, [1]],
      [true, true, [1, 2]],
    ] as const) {
      const turned = show(isFlipped, isUpsideDown);
      for (const what of ['pictures', 'mapTargets', 'mapWeights'] as const) {
        assert.deepEqual(turned[what].dataSync(), plain[what].reverse([...axes]).dataSync(), what);
      }
      assert.deepEqual(turned.targets.dataSync(), plain.targets.dataSync());
    }
    const [first, last] = [0, map.width - 1].map(
      (x) => plain.mapTargets.slice([0, 0, x, 0], [1, 1, 1, 1]).dataSync()[0],
    );
    assert.deepEqual([first, last], [1, 0]);
    assert.ok(Number(plain.pictures.min().arraySync()) >= -1 && Number(plain.pictures.max().arraySync()) <= 1);
  });
});
