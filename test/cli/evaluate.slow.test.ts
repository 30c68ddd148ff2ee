import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { writeBrightnessModel, writePhotos } from '../fixtures/brightness-model.ts';
import { makePlain } from '../fixtures/pictures.ts';
import { startLauncher } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function runEvaluate(context: TestContext, args: readonly string[]): Promise<Ended> {
  const started = startLauncher(context, { args: ['evaluate', ...args] });
  const code = await started.ended;
  return { code, stdout: started.stdout(), stderr: started.stderr() };
}

function assertRefused({ code, stdout, stderr }: Ended, message: RegExp): void {
  assert.equal(code, 78, stderr);
  assert.equal(stdout, '');
  assert.match(stderr.trimEnd().split('\n').at(-1) ?? '', message);
  assert.doesNotMatch(stderr, /^ {4}at /m, 'no stack');
}

/** A model and two photographs. */
async function makeFolders(context: TestContext): Promise<{ model: string; photos: string; card: () => string }> {
  const model = await writeBrightnessModel(makeTempDir(context));
  const card = () => readFileSync(path.join(model, 'MODEL_CARD.md'), 'utf8');
  return { model, photos: await writePhotos(makeTempDir(context), 2), card };
}

async function writeReal(context: TestContext): Promise<string> {
  const dir = makeTempDir(context);
  for (const [folder, levels] of [
    ['good', [100, 120, 4]],
    ['dark-night', [5, 8, 130]],
  ] as const) {
    mkdirSync(path.join(dir, folder));
    for (const level of levels) {
      writeFileSync(path.join(dir, folder, `${String(level)}.jpg`), await makePlain(level));
    }
  }
  return dir;
}

test('evaluate_prints_a_table_and_writes_the_card', async (context) => {
  const { model, photos, card } = await makeFolders(context);
  const args = ['--model', model, '--photos', photos, '--real', await writeReal(context)];
  const { code, stdout, stderr } = await runEvaluate(context, args);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^label +AUC +clear cases +average precision +calibration error +classical measure/);
  assert.match(stdout, /^dark +(0\.9\d+|1\.0000) .* mean luminance /m);
  assert.match(stdout, /^untouched originals: \d+$/m);
  assert.match(stdout, /^dark-night +3 +2 \(66\.7 %\) +2 \(66\.7 %\) +2 \(66\.7 %\)$/m);
  assert.match(stdout, /^wrong: dark-night\/130\.jpg\nwrong: good\/4\.jpg$/m);
  for (const phase of ['real pictures', 'photographs', 'evaluation']) {
    assert.match(stderr, new RegExp(`^${phase}$`, 'm'));
  }
  assert.match(card(), /<!-- evaluation -->\n\n\d+ pictures rendered from 2 photographs/);
  assert.match(card(), /^\| dark-night +\| 3 /m);
  assert.doesNotMatch(card(), /130\.jpg/);
});

test('evaluate_prints_all_figures_as_json', async (context) => {
  const { model, photos } = await makeFolders(context);
  const { code, stdout } = await runEvaluate(context, ['--model', model, '--photos', photos, '--seed', '3', '--json']);
  assert.equal(code, 0);
  const figures = JSON.parse(stdout) as { seed: number; synthetic: { labels: { label: string; model: unknown }[] } };
  assert.equal(figures.seed, 3);
  assert.ok(figures.synthetic.labels.some(({ label }) => label === 'dark'));
});

test('invalid_arguments_end_in_78_and_one_line', async (context) => {
  const { model, photos } = await makeFolders(context);
  const empty = makeTempDir(context);
  const run = (...args: readonly string[]) => runEvaluate(context, args);
  assertRefused(await run('--model', model, '--photos', empty), /^image-check: no photograph in /);
  const missing = path.join(empty, 'none');
  assertRefused(await run('--model', model, '--photos', missing), /^image-check: photos can't be read: /);
  assertRefused(
    await run('--model', missing, '--photos', photos),
    /none is not a model version: manifest\.json is missing$/,
  );
  assertRefused(await run('--model', model, '--photos', photos, '--seed', 'x'), /seed must be a whole number .*NaN$/);
  assertRefused(await run('--model', model, '--photos', photos, '--real', missing), /real pictures can't be read: /);
  assert.equal((await run('--model', model)).code, 78, 'without --photos');
  writeFileSync(path.join(model, 'training.json'), JSON.stringify({ learnt: ['1.jpg', '2.jpg'], calibrated: [] }));
  assertRefused(await run('--model', model, '--photos', photos), /was trained on every photograph in .*none is left/);
});

test('a_picture_that_does_not_decode_is_named_and_the_card_unchanged', async (context) => {
  const { model, photos, card } = await makeFolders(context);
  writeFileSync(path.join(model, 'MODEL_CARD.md'), '# Mine\n');
  const real = await writeReal(context);
  writeFileSync(path.join(real, 'good', '0.jpg'), 'no picture');
  assertRefused(
    await runEvaluate(context, ['--model', model, '--photos', photos, '--real', real]),
    /^image-check: picture can't be read: .*good.0\.jpg: the bytes are not JPEG/,
  );
  writeFileSync(path.join(photos, '2.jpg'), 'no picture');
  assertRefused(
    await runEvaluate(context, ['--model', model, '--photos', photos]),
    /^image-check: photograph can't be read: .*2\.jpg: /,
  );
  assert.equal(card(), '# Mine\n');
});
