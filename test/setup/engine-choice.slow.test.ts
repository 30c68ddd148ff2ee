import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { ExitError } from '../../src/errors.ts';
import { locateCache, makeRoot } from '../../src/setup/cache.ts';
import { chooseEngine, type EngineChoiceOptions } from '../../src/setup/engine-choice.ts';
import { makeStaging } from '../../src/setup/staging.ts';
import { tensorflowWheel } from '../../src/setup/wheel.ts';
import {
  createSmallMachine,
  keepOnly,
  listCache,
  offerWheel,
  shadowProgram,
  type SmallMachine,
} from './small-machine.ts';

test('wasm_wanted_provisions_nothing', async (t) => {
  const machine = await createSmallMachine(t);
  const choice = await chooseEngine({ wanted: 'wasm', progress: 'none', environment: machine.environment });
  assert.deepEqual(choice, { engine: 'wasm', why: 'model.engine is wasm' });
  assert.deepEqual(await listCache(machine), []);
});

test('without_python_wasm_serves_and_says_why', async (t) => {
  const machine = await createSmallMachine(t);
  await expectWasm(machine, /^python3 was not found$/, { environment: await keepOnly(machine, ['g++', 'as']) });
});

test('a_python_without_pip_is_a_reason', async (t) => {
  const machine = await createSmallMachine(t);
  const environment = await shadowProgram(machine, 'python3', 'echo "No module named pip" >&2; exit 1');
  await expectWasm(machine, /^python3 has no working pip: No module named pip$/, { environment });
});

test('without_a_compiler_wasm_serves_and_nothing_is_downloaded', async (t) => {
  const machine = await createSmallMachine(t);
  const environment = await keepOnly(machine, ['python3']);
  await expectWasm(machine, /^no C\+\+17 compiler was found \(tried g\+\+, c\+\+, clang\+\+\)$/, { environment });
});

test('a_cxx_that_is_no_compiler_is_named', async (t) => {
  const machine = await createSmallMachine(t);
  await expectWasm(machine, /\$CXX, which is false --fast/, {
    environment: { ...machine.environment, CXX: 'false --fast' },
  });
});

test('tensorflow_wanted_and_not_to_be_had_ends_with_78_and_names_the_doctor', async (t) => {
  const machine = await createSmallMachine(t);
  const environment = await keepOnly(machine, ['python3']);
  await assert.rejects(choose(machine, { wanted: 'tensorflow', environment }), (error) => {
    assert.ok(error instanceof ExitError);
    assert.equal(error.exitCode, 78);
    assert.match(error.message, /no C\+\+17 compiler.*run image-check doctor for a fix$/);
    return true;
  });
});

test('an_index_that_refuses_is_a_reason_and_leaves_no_staging', async (t) => {
  const machine = await createSmallMachine(t);
  const index = `http://127.0.0.1:${String(await findClosedPort())}/simple`;
  await expectWasm(machine, /^pip can't download tensorflow-cpu 2\.15\.1: .*\(the package index can't be reached\)$/, {
    environment: { ...machine.environment, PIP_NO_INDEX: '0', PIP_INDEX_URL: index, PIP_RETRIES: '1' },
  });
  assert.deepEqual(await listCache(machine), []);
});

test('a_wheel_with_another_hash_is_refused', async (t) => {
  const machine = await createSmallMachine(t);
  const { wheel, environment } = await offerWheel(machine, { 'tensorflow/libtensorflow_cc.so.2': 'not this one' });
  const pinned = { ...wheel, sha256: tensorflowWheel.sha256 };
  await expectWasm(machine, /^pip can't download .*HASHES/, { wheel: pinned, environment });
  assert.deepEqual(await listCache(machine), []);
});

test('a_wheel_without_the_libraries_is_a_reason_and_leaves_no_staging', async (t) => {
  const machine = await createSmallMachine(t);
  const offer = await offerWheel(machine, { 'tensorflow/include/tensorflow/c/c_api.h': '' });
  await expectWasm(machine, /^setting up TensorFlow failed: ENOENT.*libtensorflow_cc\.so\.2/, offer);
  assert.deepEqual(await listCache(machine), []);
});

test('a_binding_that_does_not_compile_gives_the_compilers_error', async (t) => {
  const machine = await createSmallMachine(t);
  const offer = await offerWheel(machine, {
    'tensorflow/libtensorflow_cc.so.2': '',
    'tensorflow/libtensorflow_framework.so.2': '',
    'tensorflow/include/tensorflow/c/c_api.h': '',
  });
  await expectWasm(machine, /can't compile tfjs-node's binding: .*error: /, offer);
  assert.deepEqual(await listCache(machine), []);
});

test('a_package_index_without_the_wheel_is_a_reason_of_one_line', async (t) => {
  const machine = await createSmallMachine(t);
  const choice = await choose(machine, {});
  assert.ok(choice.engine === 'wasm');
  assert.match(choice.why, /No matching distribution found for tensorflow-cpu==2\.15\.1/);
  assert.doesNotMatch(choice.why, /\n/);
});

test('an_unwritable_cache_is_a_reason_and_ends_with_73_where_tensorflow_is_wanted', async (t) => {
  const machine = await createSmallMachine(t);
  await writeFile(join(machine.folder, 'file'), '');
  const environment = { ...machine.environment, XDG_CACHE_HOME: join(machine.folder, 'file', 'sub') };
  const why = /^the cache folder .*file\/sub.* is not writable \(ENOTDIR.*\); set XDG_CACHE_HOME$/;
  await expectWasm(machine, why, { environment });
  await assert.rejects(choose(machine, { wanted: 'tensorflow', environment }), (error) => {
    assert.ok(error instanceof ExitError);
    assert.equal(error.exitCode, 73);
    assert.match(error.message, why);
    return true;
  });
});

test('a_cache_that_a_group_could_write_is_closed_to_it', async (t) => {
  const machine = await createSmallMachine(t);
  const cache = await locateCache(machine.environment, machine.packageFolder, tensorflowWheel);
  await mkdir(cache.root, { recursive: true });
  for (const folder of [cache.root, dirname(cache.root)]) await chmod(folder, 0o2775);
  await makeRoot(cache);
  for (const folder of [cache.root, dirname(cache.root)]) assert.equal((await stat(folder)).mode & 0o7777, 0o2755);
});

test('a_user_without_a_home_gets_the_next_engine', async (t) => {
  const file = join(import.meta.dirname, 'choose-engine-process.ts');
  const asNobodyKnown = process.getuid?.() === 0 ? { uid: 54_321, gid: 54_321 } : undefined;
  if (asNobodyKnown === undefined) {
    t.skip('only root can become a user that is in no database');
    return;
  }
  const args = ['--import', import.meta.resolve('tsx'), file, join(import.meta.dirname, '..', '..')];
  const environment = { PATH: process.env['PATH'], HOME: '' };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: environment, ...asNobodyKnown });
  assert.match(stdout, /"engine":"wasm","why":"this user has no home for a cache; set XDG_CACHE_HOME"/);
});

test('where_nothing_can_be_provisioned_an_unwritable_cache_does_not_matter', async (t) => {
  const machine = await createSmallMachine(t);
  await writeFile(join(machine.folder, 'file'), '');
  const environment = await keepOnly(machine, ['python3']);
  await expectWasm(machine, /compiler/, {
    environment: { ...environment, XDG_CACHE_HOME: join(machine.folder, 'file', 'sub') },
  });
});

test('a_relative_xdg_cache_home_is_ignored', async (t) => {
  const machine = await createSmallMachine(t);
  const environment = { XDG_CACHE_HOME: 'relative', HOME: '/home/somebody' };
  const { root } = await locateCache(environment, machine.packageFolder, tensorflowWheel);
  assert.equal(root, '/home/somebody/.cache/image-check/tensorflow');
});

test('another_binding_or_wheel_has_another_cache', async (t) => {
  const machine = await createSmallMachine(t);
  const locate = (wheel = tensorflowWheel) => locateCache(machine.environment, machine.packageFolder, wheel);
  const before = (await locate()).folder;
  assert.notEqual((await locate({ ...tensorflowWheel, sha256: '0' })).folder, before);
  await writeFile(join(machine.packageFolder, 'binding', 'utils.h'), '// newer');
  assert.notEqual((await locate()).folder, before);
});

test('staging_of_interrupted_runs_is_removed_and_a_young_one_of_another_machine_is_not', async (t) => {
  const machine = await createSmallMachine(t);
  await mkdir(machine.cacheRoot, { recursive: true });
  const cache = await locateCache(machine.environment, machine.packageFolder, tensorflowWheel);
  await writeFile(join(await makeStaging(cache), 'half.whl'), 'half a wheel');
  await mkdir(join(machine.cacheRoot, 'staging-elsewhere-young'));
  const old = join(machine.cacheRoot, 'staging-elsewhere-old');
  await mkdir(old);
  await utimes(old, 0, 0);
  await expectWasm(machine, /No matching distribution/);
  assert.deepEqual(await listCache(machine), ['staging-elsewhere-young']);
});

test('a_missing_tfjs_node_is_a_reason', async (t) => {
  const machine = await createSmallMachine(t);
  await expectWasm(machine, /^setting up TensorFlow failed: ENOENT/, { packageFolder: join(machine.folder, 'none') });
});

function choose(machine: SmallMachine, options: Partial<EngineChoiceOptions>): ReturnType<typeof chooseEngine> {
  const { environment, packageFolder } = machine;
  return chooseEngine({ wanted: 'auto', progress: 'none', environment, packageFolder, ...options });
}

async function expectWasm(
  machine: SmallMachine,
  why: RegExp,
  options: Partial<EngineChoiceOptions> = {},
): Promise<void> {
  const choice = await choose(machine, options);
  assert.ok(choice.engine === 'wasm');
  assert.match(choice.why, why);
}

function findClosedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port'));
      });
    });
  });
}
