import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { isLinked, linkLibrary } from '../../src/setup/links.ts';

test('a_package_without_links_gets_them', async (t) => {
  const { packageFolder, cacheFolder } = await createFolders(t);
  assert.equal(await isLinked(packageFolder, cacheFolder), false);
  await linkLibrary(packageFolder, cacheFolder);
  await expectLinked(packageFolder, cacheFolder);
});

test('a_broken_link_and_one_that_points_elsewhere_are_repaired', async (t) => {
  const { packageFolder, cacheFolder } = await createFolders(t);
  await mkdir(join(packageFolder, 'deps'));
  await symlink('/nowhere/at/all', join(packageFolder, 'deps', 'lib'));
  await mkdir(join(packageFolder, 'lib', 'napi-v8'), { recursive: true });
  await symlink(join(packageFolder, 'package.json'), join(packageFolder, 'lib', 'napi-v8', 'tfjs_binding.node'));
  await linkLibrary(packageFolder, cacheFolder);
  await expectLinked(packageFolder, cacheFolder);
  assert.equal(await readFile(join(packageFolder, 'package.json'), 'utf8'), '{}');
});

test('one_missing_link_of_two_is_repaired', async (t) => {
  const { packageFolder, cacheFolder } = await createFolders(t);
  await linkLibrary(packageFolder, cacheFolder);
  await rm(join(packageFolder, 'deps', 'lib'));
  assert.equal(await isLinked(packageFolder, cacheFolder), false);
  await linkLibrary(packageFolder, cacheFolder);
  await expectLinked(packageFolder, cacheFolder);
});

test('a_real_folder_and_a_real_file_of_another_installation_give_way', async (t) => {
  const { packageFolder, cacheFolder } = await createFolders(t);
  await mkdir(join(packageFolder, 'deps', 'lib'), { recursive: true });
  await writeFile(join(packageFolder, 'deps', 'lib', 'libtensorflow.so.2'), 'older');
  await mkdir(join(packageFolder, 'lib', 'napi-v8'), { recursive: true });
  await writeFile(join(packageFolder, 'lib', 'napi-v8', 'tfjs_binding.node'), 'older');
  await linkLibrary(packageFolder, cacheFolder);
  await expectLinked(packageFolder, cacheFolder);
});

test('many_at_once_end_with_whole_links', async (t) => {
  const { packageFolder, cacheFolder } = await createFolders(t);
  await Promise.all(Array.from({ length: 8 }, () => linkLibrary(packageFolder, cacheFolder)));
  await expectLinked(packageFolder, cacheFolder);
});

test('a_package_that_can_not_be_changed_is_a_reason', async (t) => {
  const { packageFolder, cacheFolder } = await createFolders(t);
  await writeFile(join(packageFolder, 'deps'), 'in the way');
  await assert.rejects(linkLibrary(packageFolder, cacheFolder), {
    name: 'UnavailableError',
    message: /^TensorFlow can't be linked into .*tfjs-node: (EEXIST|ENOTDIR)/,
  });
});

async function createFolders(t: TestContext): Promise<{ packageFolder: string; cacheFolder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'image-check-links-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const packageFolder = join(folder, 'tfjs-node');
  const cacheFolder = join(folder, 'cache');
  await mkdir(packageFolder);
  await writeFile(join(packageFolder, 'package.json'), '{}');
  await mkdir(join(cacheFolder, 'deps', 'lib'), { recursive: true });
  await writeFile(join(cacheFolder, 'deps', 'lib', 'libtensorflow_cc.so.2'), 'library');
  await mkdir(join(cacheFolder, 'lib', 'napi-v8'), { recursive: true });
  await writeFile(join(cacheFolder, 'lib', 'napi-v8', 'tfjs_binding.node'), 'binding');
  await writeFile(join(cacheFolder, 'lib', 'napi-v8', 'jpeg_raster.node'), 'decoder');
  return { packageFolder, cacheFolder };
}

/** Both links lead to the cache, and nothing else is left beside them. */
async function expectLinked(packageFolder: string, cacheFolder: string): Promise<void> {
  assert.equal(await isLinked(packageFolder, cacheFolder), true);
  assert.equal(await readFile(join(packageFolder, 'deps', 'lib', 'libtensorflow_cc.so.2'), 'utf8'), 'library');
  assert.equal(await readFile(join(packageFolder, 'lib', 'napi-v8', 'tfjs_binding.node'), 'utf8'), 'binding');
  assert.deepEqual(await readdir(join(packageFolder, 'deps')), ['lib']);
  assert.equal(await readFile(join(packageFolder, 'lib', 'napi-v8', 'jpeg_raster.node'), 'utf8'), 'decoder');
  assert.deepEqual(await readdir(join(packageFolder, 'lib', 'napi-v8')), ['jpeg_raster.node', 'tfjs_binding.node']);
}
