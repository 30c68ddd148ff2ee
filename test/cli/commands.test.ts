import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { startLauncher } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

async function runCommand(
  context: test.TestContext,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const started = startLauncher(context, { args, environment });
  const code = await started.ended;
  return { code, stdout: started.stdout(), stderr: started.stderr() };
}

test('version_is_the_packages', async (context) => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  assert.deepEqual(await runCommand(context, ['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
});

test('every_command_has_help', async (context) => {
  const { stdout } = await runCommand(context, ['--help']);
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].flatMap(([, name]) => name ?? []);
  for (const command of ['serve', 'check', 'models', 'train', 'setup', 'doctor', 'config']) {
    assert.ok(commands.includes(command), command);
    const help = await runCommand(context, [command, '--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, new RegExp(`^Usage: image-check ${command}`));
  }
});

test('an_unknown_command_ends_in_78', async (context) => {
  const { code, stderr } = await runCommand(context, ['sevre']);
  assert.equal(code, 78);
  assert.match(stderr, /sevre/);
});

test('config_tells_every_value_and_where_it_was_set', async (context) => {
  const { code, stdout } = await runCommand(context, ['config', '--set', 'check.deadlineMs=5000'], {
    IMAGE_CHECK_WORKERS: '3',
  });
  assert.equal(code, 0);
  assert.match(stdout, /^workers: 3 {2}# IMAGE_CHECK_WORKERS$/m);
  assert.match(stdout, /^check\.deadlineMs: 5000 {2}# --set$/m);
  assert.match(stdout, /^server\.port: 5051 {2}# .*default\.yaml$/m);
});

test('config_refuses_what_serve_would_refuse', async (context) => {
  for (const setting of ['check.deadlineMs=0', 'check.deadline=5', 'nonsense']) {
    const { code, stderr } = await runCommand(context, ['config', '--set', setting]);
    assert.equal(code, 78);
    assert.match(stderr, /^image-check: .*--set/);
  }
});

test('models_verify_runs_golden_images_and_names_what_is_broken', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'quality' });
  const good = await runCommand(context, ['models', 'verify', '--models', dir, '--engine', 'wasm']);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^ok .*quality@1 .*1 golden images/);
  await writeColourModel(dir, { name: 'wrong', goldenScores: [0, 0, 1] });
  writeFileSync(path.join(await writeColourModel(dir, { name: 'short' }), 'weights.bin'), '');
  const bad = await runCommand(context, ['models', 'verify', '--models', dir, '--engine', 'wasm']);
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /^ok .*quality@1/m);
  assert.match(bad.stdout, /^FAIL .*wrong@1 .*golden\/red\.png: scores differ/m);
  assert.match(bad.stdout, /^FAIL .*short@1 .*weights\.bin: its hash/m);
});

test('models_list_shows_every_version', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'quality' });
  await writeColourModel(dir, { name: 'quality', version: '2', manifest: { format: 'onnx' } });
  const { code, stdout } = await runCommand(context, ['models', 'list', '--models', dir]);
  assert.equal(code, 0);
  assert.match(stdout, /^quality@1 {2}tfjs-layers {2}8x8/m);
  assert.match(stdout, /^quality@2 {2}broken: manifest\.json: format/m);
});
