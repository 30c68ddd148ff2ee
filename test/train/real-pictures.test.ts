import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { ScorePicture } from '../../src/train/evaluation/picture-scorer.ts';
import { evaluateReal, listRealFolders } from '../../src/train/evaluation/real-pictures.ts';
import { createLabellingManifest } from '../fixtures/labelling-manifest.ts';
import { assertRefused } from '../fixtures/refusal.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const labels = ['blurry', 'dark', 'low_contrast'];
const manifest = createLabellingManifest(labels, { blurry: { review: 0.5, reject: 0.8 }, dark: { review: 0.5 } });

/** Writes pictures whose bytes are their scores. */
function writeFolders(dir: string, folders: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>) {
  for (const [folder, files] of Object.entries(folders)) {
    mkdirSync(path.join(dir, folder));
    for (const [file, scores] of Object.entries(files)) {
      writeFileSync(path.join(dir, folder, file), JSON.stringify(scores));
    }
  }
  return dir;
}

const score: ScorePicture = (bytes) => {
  const scores = JSON.parse(Buffer.from(bytes).toString()) as number[];
  return Promise.resolve({ scores, classical: scores.map((value) => -value) });
};

test('each_label_is_measured_against_all_good_pictures', async (context) => {
  const dir = writeFolders(makeTempDir(context), {
    'blurry-motion': { 'a.jpg': [0.9, 0.6, 0], 'b.jpg': [0.3, 0.7, 0] },
    'good-text': { 'c.jpg': [0.1, 0, 0], 'd.png': [0.2, 0, 0] },
    'good-night': { 'e.jpg': [0.6, 0.2, 0], 'notes.txt': [] },
    'Low-Contrast fog': { 'f.jpg': [0, 0, 0.4] },
    '.cache': { 'g.jpg': [1, 1, 1] },
  });
  writeFileSync(path.join(dir, 'SOURCES.tsv'), '');
  const folders = await listRealFolders(dir, labels);
  const heard: string[] = [];
  const figures = await evaluateReal(folders, score, manifest, (done, total) => {
    heard.push(`${String(done)}/${String(total)}`);
  });
  assert.equal(heard.at(-1), '6/6');
  assert.deepEqual(figures.folders, [
    {
      name: 'Low-Contrast fog',
      label: 'low_contrast',
      pictures: 1,
      flagged: 0,
      rejected: 0,
      recognised: 0,
      wrong: ['f.jpg'],
    },
    { name: 'blurry-motion', label: 'blurry', pictures: 2, flagged: 2, rejected: 1, recognised: 1, wrong: ['b.jpg'] },
    { name: 'good-night', label: undefined, pictures: 1, flagged: 1, rejected: 0, recognised: 0, wrong: ['e.jpg'] },
    { name: 'good-text', label: undefined, pictures: 2, flagged: 0, rejected: 0, recognised: 0, wrong: [] },
  ]);
  // Of 2 × 3 pairs, the blurred 0.3 is below the good 0.6; the contrast of the blurred pictures is unknown.
  const areas = figures.labels.map(({ label, pictures, positives, model, classical }) => [
    label,
    pictures,
    positives,
    Math.round(model.area * 1000),
    Math.round((classical?.area ?? NaN) * 1000),
  ]);
  assert.deepEqual(areas, [
    ['blurry', 5, 2, 833, 167],
    ['low_contrast', 4, 1, 1000, 0],
  ]);
});

test('a_folder_with_an_unknown_name_is_refused', async (context) => {
  const dir = writeFolders(makeTempDir(context), { good: { 'a.jpg': [] }, holiday: { 'b.jpg': [] } });
  await assertRefused(
    listRealFolders(dir, labels),
    /the folder holiday begins with none of good, blurry, dark, low_con/,
  );
});

test('a_folder_without_good_pictures_is_refused', async (context) => {
  const dir = writeFolders(makeTempDir(context), { blurry: { 'a.jpg': [] } });
  await assertRefused(listRealFolders(dir, labels), /no folder in .* begins with good/);
});

test('empty_and_missing_folders_are_refused', async (context) => {
  const dir = writeFolders(makeTempDir(context), { good: { 'a.jpg': [] }, dark: { 'notes.txt': [] } });
  await assertRefused(listRealFolders(dir, labels), /no photograph in .*dark/);
  await assertRefused(listRealFolders(path.join(dir, 'none'), labels), /real pictures can't be read: .*none/);
});
