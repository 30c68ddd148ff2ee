import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { makeSingleImageGraph } from '../fixtures/single-image-graph.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const environment = { IMAGE_CHECK_MODEL_COMPILE: 'true', IMAGE_CHECK_CHECK_DEADLINE_MS: '60000' };

async function getForm(service: Service, model = 'quality'): Promise<{ form?: string; remarks?: readonly string[] }> {
  await waitFor(async () => (await service.health()).workers.some(({ models }) => models[model]?.state === 'ready'));
  const { workers } = await service.health();
  const found = workers.flatMap(({ models }) => models[model] ?? []).find(({ state }) => state === 'ready');
  assert.ok(found);
  return found;
}

test('a_model_without_an_artefact_is_compiled_once_for_all_workers_at_its_first_request', async (context) => {
  const dir = makeTempDir(context);
  const version = await writeColourModel(dir, { name: 'quality' });
  const service = await startService(context, { environment, args: ['--models', dir] });
  const photo = await makePhoto();
  const answers = await Promise.all(Array.from({ length: 6 }, () => postRaw(service.url, photo)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(new Set(answers.map(({ body }) => body.worker?.slot)).size, 2);
  assert.equal((await getForm(service)).form, 'compiled');
  assert.deepEqual(readdirSync(path.join(version, 'compiled')).sort(), ['artefact.json', 'saved_model.pb']);
  // Scores of one picture through both forms: compiled, and operation by operation.
  const other = await startService(context, {
    args: ['--models', dir, '--workers', '1', '--engine', 'wasm'],
  });
  // Of a JPEG the pixels depend on who decodes it.
  const picture = await sharp(photo).png().toBuffer();
  const [compiled, wasm] = [await postRaw(service.url, picture), await postRaw(other.url, picture)];
  const toScores = (answer: typeof compiled): number[] =>
    answer.body.images?.[0]?.checks?.[0]?.labels.map(({ score }) => score) ?? [];
  assert.equal(toScores(compiled).length, 3);
  for (const [index, score] of toScores(compiled).entries()) {
    assert.ok(Math.abs(score - (toScores(wasm)[index] ?? -1)) < 1e-3);
  }
});

test('a_deadline_that_passes_while_it_compiles_is_503_and_the_next_request_is_served', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'quality' });
  const args = ['--models', dir, '--workers', '1'];
  const service = await startService(context, { environment, args });
  const photo = await makePhoto();
  const early = await postRaw(service.url, photo, { headers: { 'X-Request-Timeout-Ms': '500' } });
  assert.equal(early.status, 503);
  assert.equal(early.body.code, 'ERR_MODEL_UNAVAILABLE');
  assert.ok(Number(early.headers['retry-after']) >= 1);
  assert.equal((await postRaw(service.url, photo)).status, 200);
  assert.equal((await getForm(service)).form, 'compiled');
});

test('what_can_not_be_compiled_is_served_as_it_is_and_health_says_why', async (context) => {
  const dir = makeTempDir(context);
  const manifest = { format: 'tfjs-graph' };
  await writeColourModel(dir, { name: 'quality', files: makeSingleImageGraph(), manifest });
  const service = await startService(context, { environment, args: ['--models', dir, '--workers', '1'] });
  assert.equal((await postRaw(service.url, await makePhoto())).status, 200);
  const { form, remarks } = await getForm(service);
  assert.equal(form, 'op-by-op');
  assert.match(remarks?.[0] ?? '', /^not compiled: /);
});

test('artefacts_of_a_models_folder_that_can_not_be_written_go_to_the_cache', async (context) => {
  const forbidden: string[] = [];
  // Hooks run in their order: this one before the folder is removed.
  context.after(() => {
    for (const folder of forbidden) setWritable(folder, true);
  });
  const dir = makeTempDir(context);
  const artefactDir = makeTempDir(context);
  const version = await writeColourModel(dir, { name: 'quality' });
  forbidden.push(version);
  if (!setWritable(version, false)) {
    context.skip('root writes everywhere on a file system without immutable folders');
    return;
  }
  const args = ['--models', dir, '--workers', '1', '--set', `model.artefactDir=${artefactDir}`];
  const service = await startService(context, { environment, args });
  assert.equal((await postRaw(service.url, await makePhoto())).status, 200);
  assert.equal((await getForm(service)).form, 'compiled');
  const artefacts = readdirSync(artefactDir).filter((name) => name !== 'locks');
  assert.deepEqual([artefacts.length, artefacts[0]?.startsWith('quality-1-')], [1, true]);
  assert.ok(!existsSync(path.join(version, 'compiled')));
});

/** Gives or takes the right to write in a folder, to and from root too. @returns whether that worked */
function setWritable(dir: string, isWritable: boolean): boolean {
  if (process.getuid?.() === 0) return spawnSync('chattr', [isWritable ? '-i' : '+i', dir]).status === 0;
  chmodSync(dir, isWritable ? 0o755 : 0o555);
  return true;
}

test('a_deleted_shard_fails_the_model_although_it_is_compiled', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'quality' });
  const other = await writeColourModel(dir, { name: 'other' });
  const service = await startService(context, { environment, args: ['--models', dir, '--workers', '1'] });
  const photo = await makePhoto();
  assert.equal((await postRaw(service.url, photo)).status, 200);
  rmSync(path.join(other, 'weights.bin'));
  const failed = await postRaw(service.url, photo, { query: '?model=other' });
  assert.equal(failed.status, 503);
  assert.match(failed.body.detail ?? '', /weights\.bin: can't be read/);
  assert.equal((await postRaw(service.url, photo)).status, 200);
});
