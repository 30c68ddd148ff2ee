import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type TestContext } from 'node:test';

const project = resolve(import.meta.dirname, '..', '..');
/** Prints what the launcher hands on. */
const program = `import { answer } from './answer.ts';
console.log(JSON.stringify({ answer, args: process.argv.slice(2), pid: process.pid }));
`;
/** No process on Linux has such a number. */
const deadPid = 4_194_305;

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly pid: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

test('a_fresh_checkout_is_built_and_run_in_the_same_process', async (t) => {
  const checkout = await createCheckout(t);
  const outcome = await launch(checkout, ['check', '--json']);
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stderr, /building/);
  const { answer, args, pid } = JSON.parse(outcome.stdout) as { answer: number; args: string[]; pid: number };
  assert.deepEqual({ answer, args, pid }, { answer: 42, args: ['check', '--json'], pid: outcome.pid });
  assert.deepEqual(await listStaging(checkout), []);
});

test('a_second_start_does_not_build_and_a_touched_file_is_no_change', async (t) => {
  const checkout = await createCheckout(t);
  await launch(checkout);
  await writeFile(join(checkout, 'src', 'main.ts'), program);
  const outcome = await launch(checkout);
  assert.equal(outcome.code, 0);
  assert.equal(outcome.stderr, '');
});

test('a_changed_source_is_built_again', async (t) => {
  const checkout = await createCheckout(t);
  await launch(checkout);
  await writeFile(join(checkout, 'src', 'answer.ts'), 'export const answer: number = 43;\n');
  const outcome = await launch(checkout);
  assert.match(outcome.stdout, /"answer":43/);
});

test('a_syntax_error_ends_with_1_and_leaves_the_last_build', async (t) => {
  const checkout = await createCheckout(t);
  await launch(checkout);
  const before = await stat(join(checkout, 'dist', 'main.js'));
  await writeFile(join(checkout, 'src', 'answer.ts'), 'export const answer: number = ;\n');
  const outcome = await launch(checkout);
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, /src\/answer\.ts\(1,31\): error TS1109/);
  assert.equal(outcome.stdout, '');
  assert.equal((await stat(join(checkout, 'dist', 'main.js'))).mtimeMs, before.mtimeMs);
  assert.deepEqual(await listStaging(checkout), []);
});

test('types_are_not_needed_to_build', async (t) => {
  const checkout = await createCheckout(t);
  await removePackages(checkout);
  await symlink(join(project, 'node_modules', 'typescript'), join(checkout, 'node_modules', 'typescript'));
  await writeFile(join(checkout, 'src', 'answer.ts'), "import 'node:fs';\nexport const answer: string = 42;\n");
  const outcome = await launch(checkout);
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stdout, /"answer":42/);
});

test('an_installed_package_runs_its_build_beside_a_foreign_typescript', async (t) => {
  const installed = await createInstalledPackage(t);
  await mkdir(join(installed, 'dist'));
  await writeFile(join(installed, 'dist', 'main.js'), 'console.log(process.argv.slice(2).join());\n');
  const outcome = await launch(installed, ['check', '--json']);
  assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [0, 'check,--json\n', '']);
});

test('an_installed_package_without_its_build_ends_with_78_and_says_how_to_pack_it', async (t) => {
  const outcome = await launch(await createInstalledPackage(t));
  assert.equal(outcome.code, 78);
  assert.match(outcome.stderr, /^image-check: this package was packed without its build: .*npm run pack.*\n$/);
});

test('an_installed_package_that_misses_another_says_to_install_it_again', async (t) => {
  const installed = await createInstalledPackage(t);
  await mkdir(join(installed, 'dist'));
  await writeFile(join(installed, 'dist', 'main.js'), "import 'no-such-package';\n");
  const outcome = await launch(installed);
  assert.equal(outcome.code, 78);
  assert.match(outcome.stderr, /no-such-package is not installed: install image-check-server again\n$/);
});

test('missing_node_modules_end_with_78_and_name_npm_ci', async (t) => {
  const checkout = await createCheckout(t);
  await rm(join(checkout, 'node_modules'));
  const outcome = await launch(checkout);
  assert.equal(outcome.code, 78);
  assert.match(outcome.stderr, /^image-check: .*run npm ci.*\n$/);
});

test('one_missing_package_ends_with_78_and_its_name', async (t) => {
  const checkout = await createCheckout(t);
  await writeFile(join(checkout, 'src', 'main.ts'), "const name: string = 'no-such-package';\nawait import(name);\n");
  const outcome = await launch(checkout);
  assert.equal(outcome.code, 78);
  assert.match(outcome.stderr, /the package no-such-package is not installed: run npm ci/);
});

test('an_old_node_ends_with_78_in_one_line', async (t) => {
  const checkout = await createCheckout(t);
  const pretend = "Object.defineProperty(process.versions, 'node', { value: '20.18.3' })";
  const outcome = await launch(checkout, [], ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`]);
  assert.equal(outcome.code, 78);
  assert.match(outcome.stderr, /^image-check: Node\.js 20\.19 or newer is needed.*\n$/);
});

test('without_typescript_the_last_build_runs_even_when_sources_changed', async (t) => {
  const checkout = await createCheckout(t);
  await launch(checkout);
  await removePackages(checkout);
  await writeFile(join(checkout, 'src', 'answer.ts'), 'export const answer: number = 43;\n');
  const outcome = await launch(checkout);
  assert.match(outcome.stdout, /"answer":42/);
});

test('without_typescript_and_build_it_ends_with_78', async (t) => {
  const checkout = await createCheckout(t);
  await removePackages(checkout);
  const outcome = await launch(checkout);
  assert.equal(outcome.code, 78);
  assert.match(outcome.stderr, /^image-check: nothing is built and typescript is not installed: run npm ci in .*\n$/);
});

test('two_launchers_at_once_both_run', async (t) => {
  const checkout = await createCheckout(t);
  const outcomes = await Promise.all([launch(checkout), launch(checkout)]);
  for (const outcome of outcomes) {
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /"answer":42/);
  }
  assert.deepEqual(await listStaging(checkout), []);
});

test('sigterm_during_the_build_ends_it_without_rubbish', async (t) => {
  const checkout = await createCheckout(t);
  const child = startLauncher(checkout);
  await waitForText(child, 'building');
  child.kill('SIGTERM');
  const outcome = await followToEnd(child);
  assert.equal(outcome.signal, 'SIGTERM');
  assert.deepEqual(await listStaging(checkout), []);
  assert.deepEqual(
    (await readdir(checkout)).filter((name) => name === 'dist'),
    [],
  );
});

test('kill_9_during_the_build_leaves_no_half_build_and_the_next_start_clears_up', async (t) => {
  const checkout = await createCheckout(t);
  const child = startLauncher(checkout);
  await waitForText(child, 'building');
  child.kill('SIGKILL');
  await followToEnd(child);
  assert.deepEqual(
    (await readdir(checkout)).filter((name) => name === 'dist'),
    [],
  );
  const outcome = await launch(checkout);
  assert.match(outcome.stdout, /"answer":42/);
});

test('staging_of_dead_launchers_is_removed_and_that_of_living_ones_is_not', async (t) => {
  const checkout = await createCheckout(t);
  await mkdir(join(checkout, `dist.${String(deadPid)}`, 'setup'), { recursive: true });
  await mkdir(join(checkout, `dist.${String(deadPid)}.old`));
  await mkdir(join(checkout, `dist.${String(process.pid)}`));
  await launch(checkout);
  assert.deepEqual(await listStaging(checkout), [`dist.${String(process.pid)}`]);
});

test('an_unwritable_checkout_runs_its_fresh_build_and_refuses_an_old_one', async (t) => {
  const checkout = await createCheckout(t);
  await launch(checkout);
  const fresh = await launchReadOnly(checkout);
  assert.equal(fresh.code, 0, fresh.stderr);
  assert.match(fresh.stdout, /"answer":42/);
  await writeFile(join(checkout, 'src', 'answer.ts'), 'export const answer: number = 43;\n');
  const old = await launchReadOnly(checkout);
  assert.equal(old.code, 73);
  assert.match(old.stderr, /^image-check: dist\/ is missing or old and can't be built: .*\n$/);
});

/** The launcher with a program of two files, in a folder of its own. */
async function createCheckout(t: TestContext): Promise<string> {
  const checkout = await mkdtemp(join(tmpdir(), 'image-check-launcher-'));
  t.after(() => rm(checkout, { recursive: true, force: true }));
  await mkdir(join(checkout, 'src'));
  await cp(join(project, 'src', 'launcher.mjs'), join(checkout, 'src', 'launcher.mjs'));
  for (const name of ['tsconfig.json', 'tsconfig.build.json', 'package.json']) {
    await cp(join(project, name), join(checkout, name));
  }
  await writeFile(join(checkout, 'src', 'main.ts'), program);
  await writeFile(join(checkout, 'src', 'answer.ts'), 'export const answer: number = 42;\n');
  await symlink(join(project, 'node_modules'), join(checkout, 'node_modules'));
  return checkout;
}

/** The launcher where npm puts it, in a project that has packages of its own. */
async function createInstalledPackage(t: TestContext): Promise<string> {
  const consumer = await mkdtemp(join(tmpdir(), 'image-check-launcher-'));
  t.after(() => rm(consumer, { recursive: true, force: true }));
  const installed = join(consumer, 'node_modules', 'image-check-server');
  await mkdir(join(installed, 'src'), { recursive: true });
  await cp(join(project, 'src', 'launcher.mjs'), join(installed, 'src', 'launcher.mjs'));
  await cp(join(project, 'package.json'), join(installed, 'package.json'));
  await symlink(join(project, 'node_modules', 'typescript'), join(consumer, 'node_modules', 'typescript'));
  return installed;
}

async function removePackages(checkout: string): Promise<void> {
  await rm(join(checkout, 'node_modules'));
  await mkdir(join(checkout, 'node_modules'));
}

async function listStaging(checkout: string): Promise<string[]> {
  return (await readdir(checkout)).filter((name) => name.startsWith('dist.'));
}

function startLauncher(checkout: string, args: string[] = [], nodeArgs: string[] = [], uid?: number): ChildProcess {
  const identity = uid === undefined ? {} : { uid, gid: uid };
  return spawn(process.execPath, [...nodeArgs, join(checkout, 'src', 'launcher.mjs'), ...args], {
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...identity,
  });
}

function launch(checkout: string, args: string[] = [], nodeArgs: string[] = []): Promise<Outcome> {
  return followToEnd(startLauncher(checkout, args, nodeArgs));
}

/** Permissions do not bind root, so that root becomes nobody. */
async function launchReadOnly(checkout: string): Promise<Outcome> {
  await chmod(checkout, 0o555);
  try {
    return await followToEnd(startLauncher(checkout, [], [], process.getuid?.() === 0 ? 65_534 : undefined));
  } finally {
    await chmod(checkout, 0o755);
  }
}

function followToEnd(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const output = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, pid: child.pid, ...output });
    });
  });
}

function waitForText(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes(text)) resolve();
    });
    child.on('close', () => {
      reject(new Error(`ended without saying ${text}`));
    });
  });
}
