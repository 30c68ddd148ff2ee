import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { startLauncher } from '../fixtures/service.ts';

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
  for (const command of ['serve', 'check', 'models', 'train', 'evaluate', 'setup', 'doctor', 'config']) {
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
