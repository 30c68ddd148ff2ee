import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { startLauncher } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function remove(context: TestContext, dir: string, ...args: readonly string[]): Promise<Ended> {
  const started = startLauncher(context, { args: ['models', 'remove', ...args, '--models', dir] });
  const code = await started.ended;
  return { code, stdout: started.stdout(), stderr: started.stderr().trim() };
}

test('one_version_or_all_of_a_model_are_removed', async (context) => {
  const dir = makeTempDir(context);
  for (const version of ['1', '2', '3']) await writeColourModel(dir, { name: 'mine', version });
  await writeColourModel(dir, { name: 'other' });
  const first = await remove(context, dir, 'mine@2');
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, `removed mine@2: ${path.join(dir, 'mine', '2')}\n`);
  assert.deepEqual(readdirSync(path.join(dir, 'mine')).sort(), ['1', '3']);
  const all = await remove(context, dir, 'mine');
  assert.match(all.stdout, /^removed mine@3: .*\nremoved mine@1: .*\n$/);
  assert.deepEqual(readdirSync(dir), ['other']);
});

test('a_broken_version_is_removed_with_its_artefact_in_the_cache', async (context) => {
  const dir = makeTempDir(context);
  const cache = makeTempDir(context);
  await writeColourModel(dir, { name: 'mine', manifest: { format: 'onnx' } });
  await writeColourModel(dir, { name: 'mine-1' });
  for (const name of ['mine-1-0123456789abcdef', 'mine-1-1-0123456789abcdef', 'mine-10-0123456789abcdef', 'mine-1-x']) {
    mkdirSync(path.join(cache, name));
  }
  const { code } = await remove(context, dir, 'mine@1', '--set', `model.artefactDir=${cache}`);
  assert.equal(code, 0);
  assert.deepEqual(readdirSync(cache).sort(), ['mine-1-1-0123456789abcdef', 'mine-1-x', 'mine-10-0123456789abcdef']);
});

test('what_is_served_by_default_stays_unless_it_is_forced', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'quality' });
  await writeColourModel(dir, { name: 'quality', version: '2' });
  for (const reference of ['quality', 'quality@2']) {
    const { code, stderr, stdout } = await remove(context, dir, reference);
    assert.equal(code, 78);
    assert.equal(stdout, '');
    assert.equal(stderr, `image-check: ${reference} is served as quality of check.models; --force removes it anyway`);
  }
  assert.equal((await remove(context, dir, 'quality@1')).code, 0, 'nobody gets it by default');
  assert.equal((await remove(context, dir, 'quality', '--force')).code, 0);
  assert.deepEqual(readdirSync(dir), []);
});

test('what_is_not_there_is_refused_and_nothing_else_is_touched', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'mine' });
  mkdirSync(path.join(dir, 'notes'));
  const cases: [string, RegExp][] = [
    ['yours', /^image-check: no model yours; there are: mine$/],
    ['mine@2', /^image-check: no model mine@2; there are: mine@1$/],
    ['mine@', /^image-check: no model mine@; there are: mine@1$/],
    ['../mine', /^image-check: no model \.\.\/mine; there are: mine$/],
    ['notes', /^image-check: no model notes; there are: mine$/],
  ];
  for (const [reference, message] of cases) {
    const { code, stderr } = await remove(context, dir, reference);
    assert.equal(code, 78, reference);
    assert.match(stderr, message);
  }
  assert.deepEqual(readdirSync(dir).sort(), ['mine', 'notes']);
  assert.ok(existsSync(path.join(dir, 'mine', '1', 'manifest.json')));
});

test('of_a_linked_version_only_the_link_is_removed', async (context) => {
  const dir = makeTempDir(context);
  const elsewhere = await writeColourModel(makeTempDir(context), { name: 'mine' });
  mkdirSync(path.join(dir, 'mine'));
  symlinkSync(elsewhere, path.join(dir, 'mine', '1'));
  writeFileSync(path.join(dir, 'mine', 'README'), 'notes');
  assert.equal((await remove(context, dir, 'mine@1')).code, 0);
  assert.deepEqual(readdirSync(path.join(dir, 'mine')), ['README']);
  assert.ok(existsSync(path.join(elsewhere, 'manifest.json')));
});
