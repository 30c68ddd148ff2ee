import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { startLauncher, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

async function assertRefused(
  context: test.TestContext,
  exitCode: number,
  line: RegExp,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<void> {
  const started = startLauncher(context, { args: ['serve', '--port', '0', '--ops-port', '0', ...args], environment });
  assert.equal(await started.ended, exitCode, started.stderr());
  const lines = started.stderr().trim().split('\n');
  assert.match(lines.at(-1) ?? '', line);
  assert.doesNotMatch(started.stderr(), /^ {4}at /m, 'no stack trace');
}

test('a_port_in_use_ends_in_75', async (context) => {
  const service = await startService(context);
  await assertRefused(context, 75, /port \d+ is in use/, ['--port', String(service.port)]);
  await assertRefused(context, 75, /port \d+ is in use/, ['--ops-port', String(service.opsPort)]);
});

test('a_missing_models_folder_ends_in_78', async (context) => {
  await assertRefused(context, 78, /models\.dir/, ['--models', path.join(makeTempDir(context), 'nowhere')]);
});

test('an_unknown_default_model_ends_in_78', async (context) => {
  await assertRefused(context, 78, /no model shape.*check\.models/, ['--set', 'check.models=shape']);
});

test('a_bad_value_ends_in_78_with_name_value_range_and_source', async (context) => {
  const line = /workers: "many" is not within auto \| 1 … 1024 \(IMAGE_CHECK_WORKERS\)/;
  await assertRefused(context, 78, line, [], { IMAGE_CHECK_WORKERS: 'many' });
});

test('an_unknown_flag_ends_in_78', async (context) => {
  const started = startLauncher(context, { args: ['serve', '--prot', '1'] });
  assert.equal(await started.ended, 78);
  assert.match(started.stderr(), /unknown option '--prot'/);
});

test('an_unwritable_cache_ends_in_73_where_tensorflow_is_wanted', async (context) => {
  const file = path.join(makeTempDir(context), 'file');
  writeFileSync(file, '');
  const environment = { XDG_CACHE_HOME: path.join(file, 'cache') };
  await assertRefused(context, 73, /cache/, ['--engine', 'tensorflow'], environment);
});

test('term_drains_what_is_in_flight_and_ends_in_0', async (context) => {
  const service = await startService(context, { args: ['--set', 'supervisor.heartbeatMs=50'] });
  const photo = await makePhoto();
  // They wait for the model to load, and so are in flight for long enough to be seen.
  const uploads = Promise.all(Array.from({ length: 8 }, () => postRaw(service.url, photo)));
  await waitFor(async () => (await service.health()).workers.reduce((sum, { inFlight }) => sum + inFlight, 0) === 8);
  service.process.kill('SIGTERM');
  const statuses = (await uploads).map(({ status }) => status);
  assert.deepEqual(statuses, Array(8).fill(200));
  assert.equal(await service.ended, 0);
});

test('a_broken_model_leaves_the_others_serving', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'quality' });
  const broken = await writeColourModel(dir, { name: 'broken' });
  writeFileSync(path.join(broken, 'weights.bin'), 'short');
  const service = await startService(context, { args: ['--models', dir] });
  const photo = await makePhoto();
  const failed = await postRaw(service.url, photo, { query: '?model=broken' });
  assert.equal(failed.status, 503);
  assert.equal(failed.body.code, 'ERR_MODEL_UNAVAILABLE');
  assert.match(failed.body.detail ?? '', /weights\.bin: its hash is/);
  assert.ok(Number(failed.headers['retry-after']) >= 1);
  assert.equal((await postRaw(service.url, photo)).status, 200);
});
