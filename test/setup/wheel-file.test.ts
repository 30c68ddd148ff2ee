import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { tensorflowWheel } from '../../src/setup/wheel.ts';
import { checkHash, unpackWheel } from '../../src/setup/wheel-file.ts';

const { signal } = new AbortController();

test('a_changed_byte_is_refused_whatever_pip_says', async (t) => {
  const path = join(await createFolder(t), 'any.whl');
  // Longer than the buffer that it is read with, so that its end counts too.
  const content = Buffer.alloc(3 * 1024 * 1024 + 7, 'wheel');
  await writeFile(path, content);
  const wheel = { ...tensorflowWheel, sha256: createHash('sha256').update(content).digest('hex') };
  await checkHash(path, wheel, signal);
  content[content.length - 1] = 0;
  await writeFile(path, content);
  await assert.rejects(checkHash(path, wheel, signal), {
    name: 'UnavailableError',
    message: /^the wheel of tensorflow-cpu 2\.15\.1 has sha256 [0-9a-f]{64}, not [0-9a-f]{64}$/,
  });
});

test('a_file_that_is_no_archive_is_a_reason_of_one_line', async (t) => {
  const folder = await createFolder(t);
  await writeFile(join(folder, 'broken.whl'), 'PK but no archive');
  const unpacking = unpackWheel(join(folder, 'broken.whl'), folder, ['tensorflow/'], {
    environment: process.env,
    signal,
  });
  await assert.rejects(unpacking, { message: /^the wheel can't be unpacked: zipfile\.BadZipFile: [^\n]*$/ });
  assert.deepEqual(await readdir(folder), ['broken.whl']);
});

async function createFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'image-check-wheel-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
