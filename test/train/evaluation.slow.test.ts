import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { compileModel } from '../../src/compile/compile-model.ts';
import { loadTensorFlow } from '../../src/inference/engines/tensorflow.ts';
import { toManifest } from '../../src/model/manifest.ts';
import { loadModelFiles } from '../../src/model/model-files.ts';
import { evaluateModel, planEvaluation } from '../../src/train/evaluation/evaluate-model.ts';
import { evaluatePictures } from '../../src/train/evaluation/evaluation.ts';
import type { Kind, LabelledPicture } from '../../src/train/evaluation/labelled-picture.ts';
import { createPictureScorer, type ScorePicture } from '../../src/train/evaluation/picture-scorer.ts';
import { writeBrightnessModel, writePhotos } from '../fixtures/brightness-model.ts';
import { createLabellingManifest } from '../fixtures/labelling-manifest.ts';
import { makePhoto, makePlain } from '../fixtures/pictures.ts';
import { assertRefused } from '../fixtures/refusal.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const limits = { maxPixels: 1_000_000, decodeTimeoutMs: 60_000, maxDecodeBytes: Infinity };

const manifest = createLabellingManifest(['blurry', 'dark', 'odd'], {
  blurry: { review: 0.5, reject: 0.9 },
  odd: { reject: 0.7 },
});

interface Known {
  readonly photo?: string;
  readonly kind?: Kind;
  readonly level?: number;
  readonly strength?: string;
  /** In the order blurry, dark, odd. */
  readonly scores: readonly [number, number, number];
  readonly classical?: readonly number[];
  readonly targets?: readonly [number, number, number];
  readonly weights?: readonly [number, number, number];
}

/** Evaluates pictures of known scores; the bytes of each are its index in the list. */
function evaluateKnown(known: readonly Known[]) {
  async function* list(): AsyncGenerator<LabelledPicture> {
    for (const [index, each] of known.entries()) {
      const { photo = `${String(index)}.jpg`, kind = 'original', level = 0, strength = '' } = each;
      const weights = each.weights ?? [1, 1, 1];
      const targets = (each.targets ?? [0, 0, 0]).map((value, at) => ({ value, weight: weights[at] ?? 1 }));
      yield await Promise.resolve({ photo, kind, level, strength, bytes: Buffer.of(index), targets });
    }
  }
  const score: ScorePicture = ([index = -1]) => {
    const { scores = [], classical = [0, 0, NaN] } = known[index] ?? {};
    return Promise.resolve({ scores, classical });
  };
  return evaluatePictures(list(), score, manifest);
}

test('a_label_is_measured_beside_its_classical_measure_on_the_same_pictures', async () => {
  const { labels } = await evaluateKnown([
    { scores: [0.9, 0, 0], classical: [-3, 0, NaN], targets: [1, 0, 0] },
    { scores: [0.6, 0, 0], classical: [-9, 0, NaN], targets: [0.6, 0, 0] },
    { scores: [0.2, 0, 0], classical: [-5, 0, NaN], targets: [0.3, 0, 0] },
    { scores: [0.1, 0, 0], classical: [-7, 0, NaN], targets: [0, 0, 0] },
    { scores: [0.99, 0, 0], classical: [-1, 0, NaN], targets: [0, 0, 0], weights: [0, 1, 1] },
  ]);
  const [blurry, dark, odd] = labels;
  assert.ok(blurry && dark && odd);
  assert.deepEqual([blurry.pictures, blurry.positives], [4, 2], 'what nobody can judge does not count');
  assert.equal(blurry.model.area, 1);
  assert.equal(blurry.classical?.name, 'variance of the Laplacian');
  assert.equal(blurry.classical.area, 0.5);
  assert.equal(blurry.classical.clearArea, 1);
  assert.ok(Math.abs(blurry.calibration.error - (0.1 + 0 + 0.1 + 0.1) / 4) < 1e-12);
  assert.deepEqual(blurry.review, { threshold: 0.5, precision: 1, recall: 1, falseAlarms: 0 });
  assert.deepEqual(blurry.reject, { threshold: 0.9, precision: 1, recall: 0.5, falseAlarms: 0 });
  assert.ok(Number.isNaN(dark.model.area), 'no dark picture');
  assert.equal(dark.review, undefined, 'without a policy it never flags');
  assert.equal(odd.classical, undefined);
});

test('kinds_are_reported_by_level_with_their_label', async () => {
  const defocus = { kind: 'defocus' } as const;
  const { kinds } = await evaluateKnown([
    { ...defocus, level: 4, strength: 'σ 11 px', scores: [0.95, 0.2, 0.1] },
    { ...defocus, level: 4, strength: 'σ 9.5 px', scores: [0.55, 0.2, 0.1] },
    { ...defocus, level: 1, strength: 'σ 1 px', scores: [0.1, 0.3, 0.1] },
    { kind: 'combination', level: 2, strength: 'all', scores: [0.1, 0.3, 0.75] },
    { kind: 'noise', level: 0, strength: 'ISO 200', scores: [0.4, 0.3, 0.1] },
  ]);
  assert.deepEqual(
    kinds.map(({ kind, level, strength, pictures, label, flagged, rejected }) =>
      [kind, level, strength, pictures, label, flagged, rejected].join(', '),
    ),
    [
      'defocus, 1, σ 1 px, 1, blurry, 0, 0',
      'defocus, 4, σ 9.5 px … σ 11 px, 2, blurry, 1, 0.5',
      'noise, 0, ISO 200, 1, , 0, 0',
      'combination, 2, all, 1, , 1, 1',
    ],
  );
  assert.deepEqual(
    kinds.map(({ meanScore }) => Math.round(meanScore * 100)),
    [10, 75, 40, 75],
  );
});

test('flagged_originals_are_named', async () => {
  const { originals } = await evaluateKnown([
    { photo: 'fine.jpg', scores: [0.1, 1, 0.69] },
    { photo: 'doubted.jpg', scores: [0.5, 0, 0] },
    { photo: 'refused.jpg', scores: [0, 0, 0.7] },
    { photo: 'dark.jpg', kind: 'underexposure', scores: [1, 1, 1] },
  ]);
  assert.deepEqual(originals, { pictures: 3, flagged: ['doubted.jpg', 'refused.jpg'], rejected: ['refused.jpg'] });
});

test('an_evaluation_without_pictures_gives_nan', async () => {
  const { pictures, labels, kinds } = await evaluateKnown([]);
  assert.deepEqual([pictures, kinds], [0, []]);
  for (const { model, calibration } of labels) assert.ok(Number.isNaN(model.area) && Number.isNaN(calibration.error));
});

function loadBrightness(dir: string) {
  const known = toManifest(readFileSync(path.join(dir, 'manifest.json'), 'utf8'));
  return { name: 'quality', version: '1', dir, manifest: known };
}

test('a_picture_is_scored_like_in_the_service_and_measured_at_its_full_size', async (context) => {
  const model = loadBrightness(await writeBrightnessModel(makeTempDir(context)));
  const artefactDir = makeTempDir(context);
  const original = await createPictureScorer(model, { limits, artefactDir });
  assert.equal(original.form, 'op-by-op');
  const photo = await makePhoto(1, 320, 240);
  const [bright, dark] = [await original.score(await makePlain(240)), await original.score(await makePlain(5))];
  const at = (label: string) => model.manifest.output.labels.indexOf(label);
  assert.ok((dark.scores[at('dark')] ?? 0) > 0.95 && (bright.scores[at('dark')] ?? 1) < 0.01);
  assert.ok(Math.abs((dark.classical[at('dark')] ?? 0) + 5) < 1, 'minus the mean luminance');

  const tf = loadTensorFlow();
  const files = await loadModelFiles(model);
  await compileModel(tf, model, files, { cacheDir: artefactDir, environment: process.env, rasters: [] });
  const compiled = await createPictureScorer(model, { limits, artefactDir });
  assert.equal(compiled.form, 'compiled');
  const [expected, found] = [await original.score(photo), await compiled.score(photo)];
  for (const [index, score] of expected.scores.entries()) {
    assert.ok(Math.abs(score - (found.scores[index] ?? NaN)) < 1e-4);
  }
  assert.deepEqual(found.classical, expected.classical);
  original.dispose();
  compiled.dispose();
});

test('a_broken_model_is_refused_in_one_line', async (context) => {
  const dir = await writeBrightnessModel(makeTempDir(context));
  writeFileSync(path.join(dir, 'weights.bin'), '');
  const loading = createPictureScorer(loadBrightness(dir), { limits, artefactDir: makeTempDir(context) });
  await assertRefused(loading, /^quality@1 can't be loaded: weights\.bin: its hash is .*$/);
});

test('a_picture_that_does_not_decode_is_named', async (context) => {
  const model = loadBrightness(await writeBrightnessModel(makeTempDir(context)));
  const scorer = await createPictureScorer(model, { limits, artefactDir: makeTempDir(context) });
  async function* list(): AsyncGenerator<LabelledPicture> {
    const bytes = Buffer.from('no picture');
    yield await Promise.resolve({ photo: 'a.jpg', kind: 'noise', level: 1, strength: '', bytes, targets: [] });
  }
  await assert.rejects(evaluatePictures(list(), scorer.score, model.manifest), /a\.jpg: the bytes are not JPEG/);
  scorer.dispose();
});

test('an_evaluation_from_photographs_to_figures_is_reproducible', async (context) => {
  const photosDir = await writePhotos(makeTempDir(context), 3);
  const modelDir = await writeBrightnessModel(makeTempDir(context));
  writeFileSync(path.join(modelDir, 'training.json'), JSON.stringify({ seed: 1, learnt: ['2.jpg'], calibrated: [] }));
  const plan = await planEvaluation({ modelDir, photosDir, realDir: undefined, seed: 5 });
  const phases = new Map<string, string>();
  const evaluate = () =>
    evaluateModel(plan, {
      ...{ limits, artefactDir: path.join(photosDir, 'none') },
      onProgress: (phase, done, total) => phases.set(phase, `${String(done)}/${String(total)}`),
    });
  const evaluation = await evaluate();
  assert.deepEqual(evaluation.heldOut, { files: ['1.jpg', '3.jpg'], seen: 1 });
  assert.deepEqual(
    [...phases],
    [
      ['photographs', '2/2'],
      ['evaluation', '2/2'],
      ['invariance', '2/2'],
    ],
  );
  const { synthetic, invariance, model, form, seed } = evaluation;
  assert.deepEqual(
    invariance.map(({ pictures }) => pictures),
    invariance.map(() => 2),
  );
  assert.ok(invariance.length > 5, String(invariance.length));
  assert.deepEqual([model, form, seed], ['quality@1', 'op-by-op', 5]);
  assert.ok(synthetic.originals.pictures >= 2);
  const dark = synthetic.labels.find(({ label }) => label === 'dark');
  assert.ok(dark && dark.positives > 0 && dark.model.area > 0.95);
  assert.ok(dark.classical && dark.classical.area > 0.95);
  const levels = synthetic.kinds.filter(({ kind }) => kind === 'underexposure').map(({ meanScore }) => meanScore);
  assert.ok((levels[0] ?? 1) < 0.5 && (levels.at(-1) ?? 0) > 0.9, levels.join(', '));
  assert.deepEqual(await evaluate(), evaluation);
});
