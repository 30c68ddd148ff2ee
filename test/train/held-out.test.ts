import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { planEvaluation } from '../../src/train/evaluation/evaluate-model.ts';
import { findHeldOut } from '../../src/train/evaluation/held-out.ts';
import { writeBrightnessModel, writePhotos } from '../fixtures/brightness-model.ts';
import { assertRefused } from '../fixtures/refusal.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

function writeTraining(dir: string, training: unknown): string {
  writeFileSync(path.join(dir, 'training.json'), JSON.stringify(training));
  return dir;
}

test('photographs_used_for_training_or_calibration_are_left_out', async (context) => {
  const photos = await writePhotos(makeTempDir(context), 4);
  const model = writeTraining(makeTempDir(context), { learnt: ['1.jpg', 'gone.jpg'], calibrated: ['3.jpg'] });
  assert.deepEqual(await findHeldOut(model, photos), { files: ['2.jpg', '4.jpg'], seen: 2 });
});

test('all_photographs_of_another_folder_are_held_out', async (context) => {
  const photos = await writePhotos(makeTempDir(context), 2);
  const model = writeTraining(makeTempDir(context), { learnt: ['a.jpg'], calibrated: ['b.jpg'], heldOut: ['c.jpg'] });
  assert.deepEqual(await findHeldOut(model, photos), { files: ['1.jpg', '2.jpg'], seen: 0 });
});

test('a_model_without_a_record_has_an_unknown_number_of_used_photographs', async (context) => {
  const photos = await writePhotos(makeTempDir(context), 1);
  assert.deepEqual(await findHeldOut(makeTempDir(context), photos), { files: ['1.jpg'], seen: undefined });
});

test('a_folder_without_held_out_photographs_is_refused', async (context) => {
  const photos = await writePhotos(makeTempDir(context), 2);
  const model = writeTraining(makeTempDir(context), { learnt: ['1.jpg'], calibrated: ['2.jpg'] });
  await assertRefused(findHeldOut(model, photos), /was trained on every photograph in .*: none is left/);
});

test('a_damaged_record_is_refused_and_not_ignored', async (context) => {
  const photos = await writePhotos(makeTempDir(context), 1);
  const dir = writeTraining(makeTempDir(context), { learnt: 'all' });
  await assertRefused(findHeldOut(dir, photos), /training\.json can't be read: /);
  writeFileSync(path.join(dir, 'training.json'), '{"learnt":');
  await assertRefused(findHeldOut(dir, photos), /training\.json can't be read: /);
});

test('folders_without_photographs_are_refused', async (context) => {
  const dir = makeTempDir(context);
  await assertRefused(findHeldOut(dir, dir), /no photograph in /);
  await assertRefused(findHeldOut(dir, path.join(dir, 'nowhere')), /photos can't be read: .*nowhere/);
});

test('a_folder_without_a_quality_model_is_refused_before_any_work', async (context) => {
  const dir = makeTempDir(context);
  const modelDir = await writeBrightnessModel(dir);
  const photosDir = await writePhotos(makeTempDir(context), 1);
  const plan = (change: object) => planEvaluation({ modelDir, photosDir, realDir: undefined, seed: 1, ...change });
  assert.equal((await plan({})).model.version, '1');
  await assertRefused(
    plan({ modelDir: path.join(dir, 'none') }),
    /none is not a model version: manifest\.json is missing/,
  );
  await assertRefused(plan({ seed: -1 }), /seed must be a whole number from 0: -1/);
  const other = makeTempDir(context);
  const broken = { format: 'tfjs-layers', output: { kind: 'multi-label', labels: ['cat'] }, files: {} };
  writeFileSync(path.join(other, 'manifest.json'), JSON.stringify(broken));
  await assertRefused(plan({ modelDir: other }), /is not a model version: manifest\.json: input: /);
  const input = { width: 8, height: 8, resize: 'stretch' };
  writeFileSync(path.join(other, 'manifest.json'), JSON.stringify({ ...broken, input }));
  await assertRefused(plan({ modelDir: other }), /has the labels cat; evaluation needs blurry, /);
});
