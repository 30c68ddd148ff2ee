import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { createEngine } from '../../src/inference/engines/create-engine.ts';
import { loadTensorFlow } from '../../src/inference/engines/tensorflow.ts';
import { verifyGolden } from '../../src/inference/golden.ts';
import { toManifest } from '../../src/model/manifest.ts';
import { loadModelFiles } from '../../src/model/model-files.ts';
import { createNetwork } from '../../src/train/learning/network.ts';
import { assertReplaceable, exportModel } from '../../src/train/model-export.ts';
import { qualityLabels } from '../../src/train/samples/labels.ts';
import { inputShape } from '../../src/train/samples/network-input.ts';
import { toRaster } from '../../src/train/samples/samples.ts';
import { trainQuality } from '../../src/train/train-quality.ts';
import { writePhotos } from '../fixtures/brightness-model.ts';
import { assertRefused } from '../fixtures/refusal.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const trainingProcess = path.resolve(import.meta.dirname, '../fixtures/training-process.ts');
const modelFiles = ['MODEL_CARD.md', 'golden', 'manifest.json', 'model.json', 'training.json', 'weights.bin'];
const papers = { policy: { blurry: { review: 0.4, reject: 0.8 } }, card: '# A card\n', training: { seed: 1 } };

interface Step {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

/** Runs a training to the end, or to a step after which it is killed. */
async function runTraining(
  context: TestContext,
  dirs: readonly string[],
  killAfter: (step: Step) => boolean = () => false,
): Promise<{ code: unknown; steps: Step[] }> {
  const steps: Step[] = [];
  const child = fork(trainingProcess, dirs, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  context.after(() => child.kill('SIGKILL'));
  child.on('message', (message) => {
    const step = message as Step;
    steps.push(step);
    if (killAfter(step)) child.kill('SIGKILL');
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return { code: code ?? signal, steps };
}

/** Loads a version as the service does and verifies its golden images. */
async function assertServes(dir: string): Promise<ReturnType<typeof toManifest>> {
  const manifest = toManifest(readFileSync(path.join(dir, 'manifest.json'), 'utf8'));
  const model = { name: 'quality', version: '2', dir, manifest };
  const loaded = await (await createEngine('tensorflow')).loadModel(model, await loadModelFiles(model));
  assert.equal(manifest.golden.length, 6);
  for (const golden of manifest.golden) {
    const raster = await toRaster(readFileSync(path.join(dir, golden.image)), inputShape);
    verifyGolden({ ...golden, raster }, await loaded.run(raster, 1));
  }
  loaded.dispose();
  return manifest;
}

test('a_killed_training_resumes_and_writes_a_model_that_can_be_served', async (context) => {
  const photosDir = await writePhotos(makeTempDir(context), 4);
  const outDir = path.join(makeTempDir(context), 'quality', '2');
  const dirs = [photosDir, outDir];
  // A round has two steps.
  const killed = await runTraining(context, dirs, ({ phase, done }) => phase === 'training' && done === 3);
  assert.equal(killed.code, 'SIGKILL');
  assert.deepEqual(readdirSync(path.dirname(outDir)), ['2.training']);
  await assertRefused(
    trainQuality({ photosDir, outDir, seed: 4, onProgress: () => undefined }),
    /2\.training holds the progress of another training/,
  );

  const { code, steps } = await runTraining(context, dirs);
  assert.equal(code, 0);
  const learnt = steps.filter(({ phase }) => phase === 'training');
  assert.deepEqual(
    learnt,
    [3, 4, 5, 6].map((done) => ({ phase: 'training', done, total: 6 })),
  );
  assert.deepEqual([...new Set(steps.map(({ phase }) => phase))], ['photographs', 'training', 'calibration']);
  assert.deepEqual(steps.at(-1), { phase: 'calibration', done: 10, total: 10 });

  assert.deepEqual(readdirSync(path.dirname(outDir)), ['2'], 'the progress is gone');
  assert.deepEqual(readdirSync(outDir).sort(), modelFiles);
  const manifest = await assertServes(outDir);
  assert.deepEqual(Object.keys(manifest.policy), [...qualityLabels]);
  assert.match(readFileSync(path.join(outDir, 'MODEL_CARD.md'), 'utf8'), /--seed 3 --rounds 3/);
  const record = JSON.parse(readFileSync(path.join(outDir, 'training.json'), 'utf8')) as Record<string, string[]>;
  const used = ['learnt', 'calibrated', 'heldOut'].flatMap((part) => record[part] ?? []);
  assert.deepEqual(used.sort(), ['1.jpg', '2.jpg', '3.jpg', '4.jpg']);
});

test('a_model_is_replaced_by_a_complete_one_only', async (context) => {
  const outDir = path.join(makeTempDir(context), 'quality', '2');
  mkdirSync(outDir, { recursive: true });
  for (const name of ['manifest.json', 'left-over']) writeFileSync(path.join(outDir, name), 'old');
  const tf = loadTensorFlow();
  const network = createNetwork(tf, 1, inputShape, 'serving');
  const wrong = { ...papers, policy: { ghostly: { review: 0.5 } } };
  await assert.rejects(exportModel(tf, network, outDir, wrong), /ghostly/);
  assert.deepEqual(readdirSync(outDir).sort(), ['left-over', 'manifest.json']);

  await exportModel(tf, network, outDir, papers);
  network.dispose();
  assert.deepEqual(readdirSync(outDir).sort(), modelFiles);
  assert.deepEqual(readdirSync(path.dirname(outDir)), ['2']);
  const { output, input, files } = await assertServes(outDir);
  assert.deepEqual(output.labels, [...qualityLabels]);
  assert.deepEqual(output.map, { tensor: '1', width: 20, height: 15 });
  assert.deepEqual([input.width, input.height, input.resize], [640, 480, 'long-side']);
  assert.deepEqual(Object.keys(files), ['model.json', 'weights.bin']);
});

test('a_folder_with_other_content_is_refused_and_unchanged', async (context) => {
  const [photosDir, outDir] = [makeTempDir(context), makeTempDir(context)];
  writeFileSync(path.join(outDir, 'thesis.txt'), 'years of work');
  const training = trainQuality({ photosDir, outDir, seed: 1, onProgress: () => assert.fail('it started') });
  await assertRefused(training, /holds something other than a model and is not replaced/);
  assert.deepEqual(readdirSync(outDir), ['thesis.txt']);
  await assertReplaceable(photosDir);
  await assertReplaceable(path.join(photosDir, 'new', '2'));
});

test('a_file_in_place_of_the_folder_is_refused_and_unchanged', async (context) => {
  const photosDir = makeTempDir(context);
  const outDir = path.join(photosDir, '1.jpg');
  writeFileSync(outDir, 'a picture');
  const training = trainQuality({ photosDir, outDir, seed: 1, onProgress: () => assert.fail('it started') });
  await assertRefused(training, /the output folder can't be read: /);
  assert.equal(readFileSync(outDir, 'utf8'), 'a picture');
});

test('numbers_out_of_range_are_refused_before_any_work', async (context) => {
  const dir = makeTempDir(context);
  const options = { photosDir: dir, outDir: path.join(dir, 'out'), onProgress: () => assert.fail('it started') };
  for (const rounds of [1, 0, 2.5, Number.NaN]) {
    await assertRefused(trainQuality({ ...options, seed: 1, rounds }), /rounds must be a whole number from 2: /);
  }
  for (const seed of [-1, 0.5, Number.NaN]) {
    await assertRefused(trainQuality({ ...options, seed }), /seed must be a whole number from 0: /);
  }
  assert.ok(!existsSync(options.outDir));
});

test('a_training_with_too_few_photographs_keeps_the_existing_model', async (context) => {
  const outDir = makeTempDir(context);
  writeFileSync(path.join(outDir, 'manifest.json'), '{}');
  const train = (photosDir: string) => trainQuality({ photosDir, outDir, seed: 1, onProgress: () => undefined });
  await assertRefused(train(makeTempDir(context)), /no photograph in /);
  await assertRefused(
    train(await writePhotos(makeTempDir(context), 2)),
    /2 photographs: training needs at least one each/,
  );
  assert.deepEqual(readdirSync(outDir), ['manifest.json']);
  assert.ok(!existsSync(`${outDir}.training`));
});
