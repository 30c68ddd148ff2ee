import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { loadTensorFlow } from '../../src/inference/engines/tensorflow.ts';
import { Checkpoint } from '../../src/train/learning/checkpoint.ts';
import { toRounds } from '../../src/train/learning/schedule.ts';
import { runTraining } from '../../src/train/learning/training.ts';
import { drawLandscape } from '../../src/train/samples/landscape.ts';
import type { SampleSource } from '../../src/train/samples/sample-source.ts';
import { renderSample } from '../../src/train/samples/samples.ts';
import { assertRefused } from '../fixtures/refusal.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

// With several threads the order of sums varies, and the same seed gives other weights.
process.env['TF_NUM_INTRAOP_THREADS'] = '1';
const tf = loadTensorFlow();

const small = { width: 128, height: 96 };
const large = { width: 160, height: 128 };
const rounds = toRounds(
  [
    { size: small, batchSize: 4, freshSamples: 2, replaySamples: 4, rounds: 2 },
    { size: large, batchSize: 4, freshSamples: 2, replaySamples: 4, rounds: 1 },
  ],
  4,
);
const photos = [drawLandscape(1, 160, 120)];

/** Renders samples in this thread, at the requested size. */
function createSource(): SampleSource {
  const requested = new Map<number, typeof small>();
  return {
    request: (index, size) => void requested.set(index, size),
    take: (index) => renderSample(photos, 2, index, requested.get(index) ?? small),
    stop: () => Promise.resolve(),
  };
}

/** Trains to the end, or to a step after which it stops like a killed process. */
async function train(dir: string, untilStep = Infinity): Promise<{ losses: number[]; weights: number[][] }> {
  const losses: number[] = [];
  const checkpoint = new Checkpoint(tf, dir, 'mine');
  const onStep = (done: number, total: number, loss: number) => {
    assert.equal(total, 6);
    losses[done - 1] = loss;
    if (done === untilStep) throw new Error('stopped');
  };
  try {
    const network = await runTraining({ tf, source: createSource(), seed: 3, rounds, checkpoint, onStep }, large);
    const weights = network.getWeights().map((weight) => [...weight.dataSync()]);
    network.dispose();
    return { losses, weights };
  } catch (thrown) {
    assert.match(String(thrown), /stopped/);
    return { losses, weights: [] };
  }
}

const read = (dir: string) => readdirSync(dir).map((name) => [name, readFileSync(path.join(dir, name), 'hex')]);

test('a_training_interrupted_in_any_round_gives_the_result_of_an_uninterrupted_one', async (context) => {
  const before = tf.memory().numTensors;
  const whole = await train(path.join(makeTempDir(context), 'a'));
  assert.equal(tf.memory().numTensors, before, 'no tensor is left behind');
  assert.equal(whole.losses.length, 6);
  assert.ok(whole.losses.every(Number.isFinite));
  for (const step of [1, 4, 5]) {
    const dir = path.join(makeTempDir(context), 'progress');
    const stopped = await train(dir, step);
    assert.deepEqual(stopped.losses, whole.losses.slice(0, step));
    const { losses, weights } = await train(dir);
    const firstStep = step - ((step - 1) % 2) - 1;
    assert.deepEqual(losses.slice(firstStep), whole.losses.slice(firstStep), `after step ${String(step)}`);
    assert.equal(Object.keys(losses).length, 6 - firstStep, 'completed rounds are not repeated');
    assert.deepEqual(weights, whole.weights);
  }
});

test('only_the_last_round_is_kept_and_clear_removes_it', async (context) => {
  const dir = path.join(makeTempDir(context), 'progress');
  await train(dir);
  assert.deepEqual(readdirSync(dir).sort(), ['checkpoint.json', 'round-3.bin']);
  const checkpoint = new Checkpoint(tf, dir, 'mine');
  assert.equal(await checkpoint.countRounds(), 3);
  await checkpoint.clear();
  assert.ok(!existsSync(dir));
  assert.equal(await checkpoint.countRounds(), 0);
});

test('the_progress_of_another_training_is_refused_and_unchanged', async (context) => {
  const dir = path.join(makeTempDir(context), 'progress');
  await train(dir, 3);
  const before = read(dir);
  assert.ok(before.length > 0);
  await assertRefused(new Checkpoint(tf, dir, 'yours').open(), /holds the progress of another training: delete it/);
  assert.deepEqual(read(dir), before);
});

test('damaged_progress_is_refused_with_its_file_name', async (context) => {
  const dir = path.join(makeTempDir(context), 'progress');
  await train(dir, 3);
  const state = path.join(dir, 'checkpoint.json');
  const good = readFileSync(state, 'utf8');
  const checkpoint = new Checkpoint(tf, dir, 'mine');
  await checkpoint.open();
  for (const damaged of ['', good.slice(0, 50), '[]', good.replace('"rounds":1', '"rounds":"x"')]) {
    writeFileSync(state, damaged);
    await assertRefused(
      checkpoint.open(),
      /progress of a training is damaged: .*checkpoint\.json: .*; delete its folder/,
    );
  }
  writeFileSync(state, good);
  for (const damage of [
    () => {
      truncateSync(path.join(dir, 'round-1.bin'), 5000);
    },
    () => {
      writeFileSync(state, good.replace('round-1.bin', 'round-9.bin'));
    },
  ]) {
    damage();
    const training = { tf, source: createSource(), seed: 3, rounds, checkpoint, onStep: () => undefined };
    await assertRefused(runTraining(training, large), /progress of a training is damaged: .*round-\d\.bin: /);
  }
});

test('an_unwritable_folder_is_refused_before_the_training', async (context) => {
  const dir = makeTempDir(context);
  writeFileSync(path.join(dir, 'file'), '');
  await assertRefused(new Checkpoint(tf, path.join(dir, 'file', 'x'), 'mine').open(), /progress can't be saved: /);
  await assertRefused(new Checkpoint(tf, path.join(dir, 'file'), 'mine').open(), /progress can't be saved: /);
  mkdirSync(path.join(dir, 'odd', 'checkpoint.json'), { recursive: true });
  await assertRefused(new Checkpoint(tf, path.join(dir, 'odd'), 'mine').open(), /is damaged: .*checkpoint\.json/);
});
