import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { loadPhotos } from '../../src/train/samples/photos.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { assertRefused } from '../fixtures/refusal.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const ignoreProgress = () => undefined;

test('a_missing_folder_is_named', async (context) => {
  await assertRefused(
    loadPhotos(path.join(makeTempDir(context), 'nowhere'), ignoreProgress),
    /photos can't be read: .*nowhere/,
  );
});

test('a_folder_without_photographs_is_refused', async (context) => {
  const dir = makeTempDir(context);
  writeFileSync(path.join(dir, 'notes.txt'), 'no picture');
  mkdirSync(path.join(dir, 'more.jpg.d'));
  await assertRefused(loadPhotos(dir, ignoreProgress), /no photograph in /);
});

test('a_single_photograph_is_refused', async (context) => {
  const dir = makeTempDir(context);
  writeFileSync(path.join(dir, 'only.jpg'), await makePhoto(1, 64, 48));
  await assertRefused(loadPhotos(dir, ignoreProgress), /only one photograph in .*: training needs/);
});

test('a_photograph_that_does_not_decode_is_named', async (context) => {
  const dir = makeTempDir(context);
  writeFileSync(path.join(dir, 'a.jpg'), await makePhoto(1, 64, 48));
  writeFileSync(path.join(dir, 'b.png'), 'this is text');
  await assertRefused(loadPhotos(dir, ignoreProgress), /photograph can't be read: .*b\.png: /);
});

test('a_truncated_photograph_is_named', async (context) => {
  const dir = makeTempDir(context);
  const whole = await makePhoto(1);
  writeFileSync(path.join(dir, 'a.jpg'), whole);
  writeFileSync(path.join(dir, 'cut.jpg'), whole.subarray(0, whole.length / 2));
  await assertRefused(loadPhotos(dir, ignoreProgress), /photograph can't be read: .*cut\.jpg: /);
});

test('photographs_are_loaded_upright_scaled_down_and_as_rgb', async (context) => {
  const dir = makeTempDir(context);
  const large = { width: 3200, height: 800, channels: 3, background: 'red' } as const;
  await sharp({ create: large }).withMetadata({ orientation: 6 }).toFile(path.join(dir, 'a.jpg'));
  const clear = { width: 30, height: 20, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const;
  await sharp({ create: clear }).toFile(path.join(dir, 'b.png'));
  await sharp({ create: { ...large, width: 16, height: 16 } })
    .toColourspace('b-w')
    .toFile(path.join(dir, 'c.png'));
  const seen: string[] = [];
  const photos = await loadPhotos(dir, (done, total) => seen.push(`${String(done)}/${String(total)}`));
  const sizes = photos.map(({ file, width, height, pixels }) => [file, width, height, pixels.length / width / height]);
  assert.deepEqual(sizes, [
    ['a.jpg', 400, 1600, 3],
    ['b.png', 30, 20, 3],
    ['c.png', 16, 16, 3],
  ]);
  assert.ok(
    photos[1]?.pixels.every((value) => value === 255),
    'what is transparent becomes white',
  );
  assert.deepEqual(seen, ['1/3', '2/3', '3/3']);
});

test('origins_are_read_from_sources_tsv', async (context) => {
  const dir = makeTempDir(context);
  for (const name of ['a.jpg', 'b.jpg']) writeFileSync(path.join(dir, name), await makePhoto(1, 64, 48));
  writeFileSync(path.join(dir, 'SOURCES.tsv'), 'file\twidth\tlicence\tsource\r\nb.jpg\t64\tCC0\ta friend\r\n\r\n');
  const photos = await loadPhotos(dir, ignoreProgress);
  assert.deepEqual(
    photos.map(({ source }) => source),
    [
      { origin: 'unknown', licence: 'unknown' },
      { origin: 'a friend', licence: 'CC0' },
    ],
  );
});
