import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { startLauncher, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw } from '../fixtures/uploads.ts';

/** No compiler, no Python: what a bare machine has. */
function toBareEnvironment(context: test.TestContext): NodeJS.ProcessEnv {
  return { PATH: makeTempDir(context), XDG_CACHE_HOME: makeTempDir(context) };
}

test('without_a_compiler_it_serves_on_wasm_and_one_line_says_why', async (context) => {
  const environment = toBareEnvironment(context);
  const service = await startService(context, { environment, args: ['--workers', '1'] });
  const { status, body } = await postRaw(service.url, await makePhoto());
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.images?.[0]?.checks?.[0]?.engine, 'wasm');
  const reasons = service
    .stderr()
    .split('\n')
    .filter((line) => line.includes('serving on the wasm engine'));
  assert.equal(reasons.length, 1);
  assert.match(reasons[0] ?? '', /python3|compiler/);
});

test('where_the_cache_can_not_be_written_it_serves_on_wasm_and_a_setup_ends_in_73', async (context) => {
  const file = path.join(makeTempDir(context), 'file');
  writeFileSync(file, '');
  const environment = { XDG_CACHE_HOME: path.join(file, 'cache') };
  const service = await startService(context, { environment, args: ['--workers', '1'] });
  const { body } = await postRaw(service.url, await makePhoto());
  assert.equal(body.images?.[0]?.checks?.[0]?.engine, 'wasm', JSON.stringify(body));
  assert.match(service.stderr(), /serving on the wasm engine: the cache folder .* is not writable/);
  const setup = startLauncher(context, { environment, args: ['setup'] });
  assert.equal(await setup.ended, 73, setup.stderr());
});

test('where_tensorflow_is_demanded_and_can_not_be_had_the_start_ends_in_78', async (context) => {
  const environment = toBareEnvironment(context);
  const started = startLauncher(context, { environment, args: ['serve', '--engine', 'tensorflow', '--port', '0'] });
  assert.equal(await started.ended, 78, started.stderr());
  assert.match(started.stderr(), /doctor/);
});

test('doctor_says_what_is_missing_and_how_to_fix_it', async (context) => {
  const environment = toBareEnvironment(context);
  const started = startLauncher(context, { environment, args: ['doctor'] });
  assert.equal(await started.ended, 1);
  assert.match(started.stdout(), /FAIL.*\n {5}fix: /);
});
