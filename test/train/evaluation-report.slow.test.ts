import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import prettier from 'prettier';
import sharp from 'sharp';
import { openCard, writeReport } from '../../src/train/card/evaluation-report.ts';
import { toModelCard } from '../../src/train/card/model-card.ts';
import type { ModelEvaluation } from '../../src/train/evaluation/evaluate-model.ts';
import { measureLabels } from '../../src/train/evaluation/label-figures.ts';
import { kinds } from '../../src/train/evaluation/labelled-picture.ts';
import { createRandom } from '../../src/train/samples/random.ts';
import { createLabellingManifest } from '../fixtures/labelling-manifest.ts';
import { assertRefused } from '../fixtures/refusal.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const labels = ['blurry', 'dark', 'overexposed', 'low_contrast', 'noisy', 'blocky', 'blank', 'odd'];
const manifest = createLabellingManifest(labels, { blurry: { review: 0.5, reject: 0.9 }, dark: { review: 0.4 } });

/** Figures of realistic size: many pictures, curves of many steps, every kind and level. */
function makeEvaluation(isReal = true): ModelEvaluation {
  const random = createRandom(1);
  const pictures = Array.from({ length: 2000 }, () => {
    const values = labels.map(() => (random() < 0.3 ? 1 : 0));
    const blur = (by: number) => values.map((value) => Math.min(1, Math.max(0, value + by * (random() - 0.5))));
    return { scores: blur(1.4), classical: blur(3), targets: values.map((value) => ({ value, weight: 1 })) };
  });
  const figures = measureLabels(pictures, manifest);
  const toKind = (kind: (typeof kinds)[number], level: number) => {
    const shares = { meanScore: random(), flagged: random(), rejected: random() };
    return { kind, level, strength: 'σ 2.1 px … σ 3 px', pictures: 12, label: 'blurry', ...shares };
  };
  return {
    ...{ model: 'quality@2', form: 'compiled', seed: 7, heldOut: { files: ['a.jpg', 'b_c.jpg'], seen: 5 } },
    synthetic: {
      pictures: pictures.length,
      labels: figures,
      kinds: kinds.flatMap((kind) => [0, 1, 2, 3, 4].map((level) => toKind(kind, level))),
      originals: { pictures: 2, flagged: ['b_c.jpg'], rejected: [] },
    },
    invariance: [
      { name: 'flipped', pictures: 2, changed: [] },
      { name: 'as PNG', pictures: 2, changed: ['b_c.jpg'] },
    ],
    ...(isReal && {
      real: {
        folders: [
          {
            name: 'good',
            label: undefined,
            pictures: 3,
            flagged: 1,
            rejected: 0,
            recognised: 0,
            wrong: ['private.jpg'],
          },
        ],
        labels: figures.slice(0, 2),
      },
    }),
  };
}

function makeCard(): string {
  return toModelCard({
    summary: 'It says whether a picture is usable.',
    input: 'the whole frame at 640×480.',
    network: 'twelve convolutions;',
    parameters: 123_456,
    labels: labels.map((label) => ({ label, meaning: `from a little to a lot of ${label}` })),
    policy: manifest.policy,
    precision: { review: 0.9, reject: 0.995 },
    exceptions: new Map([['blurry', 0.8]]),
    photos: {
      training: [
        { origin: 'one', licence: 'free' },
        { origin: 'one', licence: 'free' },
      ],
      calibration: [{ origin: 'two', licence: 'free' }],
      heldOut: [{ origin: 'one', licence: 'free' }],
    },
    training: ['Adam, 20 passes.', 'Labels come from the strength.'],
    command: 'image-check train quality --photos DIR --out models/quality/2 --seed 1',
    limits: ['It can not read minds.'],
  });
}

function writeCard(dir: string, text: string): string {
  writeFileSync(path.join(dir, 'MODEL_CARD.md'), text);
  return dir;
}

const readCard = (dir: string): string => readFileSync(path.join(dir, 'MODEL_CARD.md'), 'utf8');

async function report(dir: string, evaluation = makeEvaluation()): Promise<string> {
  await writeReport(await openCard(dir), evaluation);
  return readCard(dir);
}

test('the_card_keeps_every_byte_around_the_evaluation', async (context) => {
  const before = '# A card\r\n\r\n\tmine  \n<!-- evaluation -->';
  const after = '<!-- /evaluation -->\r\n\n\n## Limits $& $1\n- none';
  const text = await report(writeCard(makeTempDir(context), `${before}\nold figures\n${after}`));
  assert.ok(text.startsWith(`${before}\n\n2000 pictures rendered from 2 photographs, without the 5 in`));
  assert.ok(text.endsWith(`\n\n${after}`));
  assert.doesNotMatch(text, /old figures/);
});

test('the_next_evaluation_replaces_the_last', async (context) => {
  const dir = writeCard(makeTempDir(context), makeCard());
  const first = await report(dir);
  assert.notEqual(first, makeCard());
  await report(dir, makeEvaluation(false));
  assert.doesNotMatch(readCard(dir), /Real pictures/);
  assert.equal(await report(dir), first);
});

test('a_card_without_markers_gets_them_at_its_end', async (context) => {
  const dir = writeCard(makeTempDir(context), '# Mine\n\nText.\n');
  const text = await report(dir);
  assert.ok(text.startsWith('# Mine\n\nText.\n\n## Evaluation\n\n<!-- evaluation -->\n\n2000 pictures'));
  assert.ok(text.endsWith('\n\n<!-- /evaluation -->\n'));
  assert.equal(await report(dir), text);
});

test('a_model_without_a_card_gets_one', async (context) => {
  assert.match(await report(makeTempDir(context)), /^# Model card\n\n## Evaluation\n\n<!-- evaluation -->/);
});

test('a_single_marker_is_refused_and_the_card_unchanged', async (context) => {
  for (const text of [
    '<!-- evaluation -->\nmine',
    'mine <!-- /evaluation -->',
    '<!-- /evaluation --><!-- evaluation -->',
  ]) {
    const dir = writeCard(makeTempDir(context), text);
    await assertRefused(report(dir), /MODEL_CARD\.md must have <!-- evaluation --> followed by/);
    assert.equal(readCard(dir), text);
    assert.ok(!existsSync(path.join(dir, 'evaluation')));
  }
});

test('an_unwritable_folder_is_reported_in_one_line', async (context) => {
  const dir = makeTempDir(context);
  writeFileSync(path.join(dir, 'evaluation'), 'a file in the way');
  await assert.rejects(report(dir), /^ExitError: the evaluation can't be written: EEXIST/);
});

test('the_card_names_folders_and_counts_of_real_pictures_but_no_files', async (context) => {
  const text = await report(writeCard(makeTempDir(context), makeCard()));
  assert.match(text, /^\| good +\| 3 +\| 1 \(33\.3 %\) +\| – +\| 0 \(0\.0 %\)/m);
  assert.doesNotMatch(text, /private/);
  assert.match(text, /^- flagged 1 \(50\.0 %\): b_c\.jpg$/m);
  assert.match(text, /--model models\/quality\/2 --photos DIR --real DIR --seed 7$/m);
});

test('cards_pass_prettier', async (context) => {
  const options = { parser: 'markdown', printWidth: 120 };
  assert.ok(await prettier.check(makeCard(), options));
  const evaluated = await report(writeCard(makeTempDir(context), makeCard()));
  assert.equal(await prettier.format(evaluated, options), evaluated);
  assert.ok(await prettier.check(await report(makeTempDir(context)), options));
});

test('a_card_contains_all_facts', () => {
  const card = makeCard();
  assert.ok(card.split('\n').length < 150);
  assert.match(card, /^\| blurry +\| 0\.5 +\| 0\.9 +\|$/m);
  assert.match(card, /^\| dark +\| 0\.4 +\| never +\|$/m);
  assert.match(card, /precision of 90 % for review \(blurry 80 %\) and 99\.5 % for reject/);
  assert.match(card, /^4 photographs: 2 in the training set, 1 in the calibration set, 1 held out for the$/m);
  assert.match(card, /^\| one +\| free +\| 3 +\|$/m);
  assert.match(card, /123456 parameters/);
});

test('the_plots_are_small_and_reproducible', async (context) => {
  const [one, other] = [makeTempDir(context), makeTempDir(context)];
  const card = await report(one);
  await report(other);
  const files = readdirSync(path.join(one, 'evaluation')).sort();
  assert.deepEqual(files, ['reliability.svg', 'roc.svg', 'strength.svg']);
  for (const name of files) {
    const file = path.join(one, 'evaluation', name);
    assert.ok(statSync(file).size < 60_000, `${name}: ${String(statSync(file).size)} bytes`);
    assert.deepEqual(readFileSync(file), readFileSync(path.join(other, 'evaluation', name)));
    assert.ok(card.includes(`](evaluation/${name})`));
    const { width, height } = await sharp(file).metadata();
    assert.ok(width > 500 && height > 300, `${name}: ${String(width)} × ${String(height)}`);
  }
  const roc = readFileSync(path.join(one, 'evaluation', 'roc.svg'), 'utf8');
  assert.equal(
    roc.match(/stroke-dasharray="4,3"/g)?.length,
    8,
    'a dashed curve for each classical measure, and the legend',
  );
  for (const label of labels) assert.ok(roc.includes(`>${label}<`), label);
});

test('an_evaluation_without_pictures_is_reported', async (context) => {
  const dir = makeTempDir(context);
  mkdirSync(path.join(dir, 'evaluation'));
  const nothing = {
    pictures: 0,
    labels: measureLabels([], manifest),
    kinds: [],
    originals: { pictures: 0, flagged: [], rejected: [] },
  };
  const heldOut = { files: ['a.jpg'], seen: undefined };
  const text = await report(dir, { ...makeEvaluation(false), heldOut, synthetic: nothing });
  assert.match(text, /^\| blurry +\| – +\| – +\| – +\| – +\| variance of the Laplacian +\| – /m);
  assert.match(text, /without a record of which ones the model was trained on/);
  assert.doesNotMatch(text, /NaN|undefined/);
});
