import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, open, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import test, { type TestContext } from 'node:test';
import { toLoadMarker } from '../../src/native-library.ts';
import { diagnose } from '../../src/setup/doctor.ts';
import type { EngineChoice } from '../../src/setup/engine-choice.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { createSmallMachine, keepOnly, listCache, shadowProgram, type SmallMachine } from './small-machine.ts';
import { createTemporaryCheckout } from './temporary-checkout.ts';

const project = resolve(import.meta.dirname, '..', '..');

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

// The one real download of the suite: its steps share the library.
test('the_real_library', async (t) => {
  const machine = await createSmallMachine(t);
  const checkout = await createTemporaryCheckout();
  t.after(() => checkout.remove());
  const { XDG_CACHE_HOME } = machine.environment;
  const environment = { ...process.env, XDG_CACHE_HOME };
  const nothing = { ...(await keepOnly(machine, [])), XDG_CACHE_HOME };

  await t.test('two_at_once_make_one_download_and_both_get_tensorflow', async () => {
    const both = await Promise.all([
      run(t, checkout.root, environment, 'bar'),
      run(t, checkout.root, environment, 'lines'),
    ]);
    for (const outcome of both) {
      assert.deepEqual(toChoice(outcome), { engine: 'tensorflow', libraryVersion: '2.15.1' });
    }
    const lines = both.flatMap(({ stderr }) => stderr.split('\n'));
    for (const step of ['downloading', 'unpacking', 'compiling', 'another process is setting up']) {
      assert.equal(lines.filter((line) => line.startsWith(`image-check: ${step}`)).length, 1, lines.join('\n'));
    }
    assert.equal((await listCache(machine)).length, 1);
  });

  await t.test('a_later_start_needs_neither_python_nor_compiler_nor_words', async () => {
    const outcome = await run(t, checkout.root, nothing);
    assert.deepEqual(toChoice(outcome), { engine: 'tensorflow', libraryVersion: '2.15.1' });
    assert.equal(outcome.stderr, '');
  });

  await t.test('nothing_is_written_into_node_modules', () => {
    assert.equal(existsSync(join(checkout.packageFolder, 'deps', 'lib')), false);
    assert.equal(existsSync(join(checkout.packageFolder, 'lib', 'napi-v8', 'tfjs_binding.node')), false);
  });

  await t.test('another_user_gets_tensorflow_from_it_and_changes_nothing', async (test) => {
    if (process.getuid?.() !== 0) {
      test.skip('only_root_can_become_another_user');
      return;
    }
    const before = await listFolder(machine);
    for (const folder of [machine.folder, checkout.root]) await chmod(folder, 0o755);
    const outcome = await run(t, checkout.root, nothing, 'lines', 65_534);
    assert.deepEqual(toChoice(outcome), { engine: 'tensorflow', libraryVersion: '2.15.1' });
    assert.deepEqual(await listFolder(machine), before);
  });

  await t.test('a_process_that_died_while_it_loaded_the_library_has_it_tried_again', async () => {
    const folder = await getFolder(machine);
    const { pid } = spawnSync(process.execPath, ['--version']);
    const [stamp = ''] = (await readdir(folder)).filter((name) => name.startsWith('probed-'));
    await writeFile(join(folder, stamp), 'what a probe did not say');
    assert.equal(toVersion(await run(t, checkout.root, nothing)), 'what a probe did not say');
    await writeFile(toLoadMarker(folder, pid, 0), '');
    assert.equal(toVersion(await run(t, checkout.root, nothing)), '2.15.1');
    assert.equal(existsSync(toLoadMarker(folder, pid, 0)), false);
  });

  await t.test('a_library_that_others_may_write_is_not_loaded', async () => {
    const library = join(await getFolder(machine), 'deps', 'lib', 'libtensorflow_framework.so.2');
    await chmod(library, 0o775);
    const choice = toChoice(await run(t, checkout.root, nothing));
    assert.ok(choice.engine === 'wasm');
    assert.match(choice.why, /libtensorflow_framework\.so\.2 is writable by other users/);
    await chmod(library, 0o755);
  });

  await t.test('the_doctor_finds_nothing_to_fix', async () => {
    const { packageFolder, root } = checkout;
    const probe = { file: join(root, 'src', 'setup', 'probe.ts'), timeoutMs: 30_000 };
    const findings = await diagnose({ environment: nothing, packageFolder, probe });
    assert.deepEqual(
      findings.filter(({ ok }) => !ok),
      [],
    );
  });

  await t.test('a_changed_byte_is_found_although_size_and_time_are_kept', async () => {
    const library = join(await getFolder(machine), 'deps', 'lib', 'libtensorflow_framework.so.2');
    const { atime, mtime } = await stat(library);
    const file = await open(library, 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, 1000);
    await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, 1000);
    await file.close();
    await utimes(library, atime, mtime);
    const choice = toChoice(await run(t, checkout.root, nothing));
    assert.ok(choice.engine === 'wasm');
    assert.match(choice.why, /was not found|no C\+\+17 compiler/);
    const findings = await diagnose({ environment: nothing, packageFolder: checkout.packageFolder });
    const damage = findings.find(({ check }) => check === 'TensorFlow library in the cache');
    assert.match(damage?.detail ?? '', /libtensorflow_framework\.so\.2 in .* is damaged/);
  });
});

test('sigterm_during_the_download_ends_the_process_and_pip_and_leaves_no_staging', async (t) => {
  const machine = await createSmallMachine(t);
  const { child, ending, pipPid } = await startHangingDownload(t, machine);
  child.kill('SIGTERM');
  const outcome = await ending;
  assert.equal(outcome.code, 143, outcome.stderr);
  assert.match(outcome.stderr, /stopped by SIGTERM/);
  assert.throws(() => process.kill(pipPid, 0), { code: 'ESRCH' });
  assert.deepEqual(await listCache(machine), []);
});

test('kill_9_during_the_download_is_cleared_up_by_the_next_run', async (t) => {
  const machine = await createSmallMachine(t);
  const { child, ending } = await startHangingDownload(t, machine);
  child.kill('SIGKILL');
  await ending;
  assert.equal((await listCache(machine)).length, 1);
  assert.equal(toChoice(await run(t, project, machine.environment)).engine, 'wasm');
  assert.deepEqual(await listCache(machine), []);
});

/** A setup whose pip answers its version and then never ends. */
async function startHangingDownload(
  t: TestContext,
  machine: SmallMachine,
): Promise<{ child: ChildProcess; ending: Promise<Outcome>; pipPid: number }> {
  const pidFile = join(machine.folder, 'pid');
  const hang = `echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 600`;
  const environment = await shadowProgram(machine, 'python3', `case "$*" in *--version*) ;; *) ${hang};; esac`);
  const child = start(t, project, environment, 'none');
  const ending = followToEnd(child);
  const pipPid = await waitFor(async () => {
    if (child.exitCode !== null) throw new Error((await ending).stderr);
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
    return pid > 0 && pid;
  }, 'pip runs');
  t.after(() => {
    killIfAlive(pipPid);
  });
  return { child, ending, pipPid };
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The setup has ended it.
  }
}

async function getFolder(machine: SmallMachine): Promise<string> {
  const [version = ''] = await listCache(machine);
  return join(machine.cacheRoot, version);
}

async function listFolder(machine: SmallMachine): Promise<string[]> {
  return (await readdir(machine.cacheRoot, { recursive: true })).sort();
}

function run(
  t: TestContext,
  root: string,
  environment: NodeJS.ProcessEnv,
  progress = 'lines',
  uid?: number,
): Promise<Outcome> {
  return followToEnd(start(t, root, environment, progress, uid));
}

function start(
  t: TestContext,
  root: string,
  environment: NodeJS.ProcessEnv,
  progress: string,
  uid?: number,
): ChildProcess {
  const file = join(import.meta.dirname, 'choose-engine-process.ts');
  const node = ['--import', import.meta.resolve('tsx'), file, root, progress];
  const user = uid === undefined ? {} : { uid, gid: uid };
  const child = spawn(process.execPath, node, {
    env: environment,
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

function followToEnd(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const output = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, ...output });
    });
  });
}

function toChoice(outcome: Outcome): EngineChoice {
  assert.equal(outcome.code, 0, outcome.stderr);
  return JSON.parse(outcome.stdout) as EngineChoice;
}

function toVersion(outcome: Outcome): string {
  const choice = toChoice(outcome);
  return choice.engine === 'tensorflow' ? choice.libraryVersion : choice.why;
}
