import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto, makePlain } from '../fixtures/pictures.ts';
import { endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startLauncher, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postForm, postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** Every score of it is 1. */
const white = await makePlain(255);

const gentle = { clients: 2, pauseMs: 25 };

interface Configured {
  readonly service: Service;
  readonly write: (configuration: object) => void;
  readonly manifestFile: string;
  /** Asks until every worker should have answered. @returns each status and verdict once */
  readonly ask: (query: string) => Promise<string[]>;
}

async function startConfigured(
  context: test.TestContext,
  configuration: object,
  manifest: Readonly<Record<string, unknown>> = {},
): Promise<Configured> {
  const dir = makeTempDir(context);
  const file = path.join(dir, 'own.yaml');
  const write = (changed: object): void => {
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(changed));
  };
  write(configuration);
  const models = makeTempDir(context);
  const version = await writeColourModel(models, { name: 'quality', policy: {}, manifest });
  const service = await startService(context, { args: ['--config', file, '--models', models] });
  const ask = async (query: string): Promise<string[]> => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => postRaw(service.url, white, { query })));
    return [...new Set(answers.map(({ status, body }) => body.verdict ?? `${String(status)} ${body.code ?? ''}`))];
  };
  return { service, write, ask, manifestFile: path.join(version, 'manifest.json') };
}

async function listPolicyNames({ opsUrl }: Service): Promise<string[]> {
  const body = (await (await fetch(`${opsUrl}/v1/models`)).json()) as { models: { policies: string[] }[] };
  return body.models[0]?.policies ?? [];
}

async function waitForRollOut({ health }: Service, state: 'complete' | 'stopped'): Promise<void> {
  await waitFor(
    async () => (await health()).rollingRestart?.state === state,
    `the rolling restart is ${state}`,
    120_000,
  );
}

test('hup_takes_over_rules_and_policies_without_a_lost_request_and_keeps_them_where_they_are_wrong', async (context) => {
  const { service, write, ask } = await startConfigured(context, { rules: { avatar: { minWidth: 400 } } });
  assert.deepEqual(await ask(''), ['accept']);
  assert.deepEqual(await ask('?rules=avatar'), ['reject']);
  assert.deepEqual(await ask('?rules=banner'), ['404 ERR_RULES_UNKNOWN']);
  assert.deepEqual(await ask('?policy=strict'), ['404 ERR_POLICY_UNKNOWN']);

  const load = startRunningLoad(context, service.url, await makePhoto(), gentle);
  const rules = { avatar: { minWidth: 100 }, banner: { minAspect: 3, verdict: 'review' } };
  const policies = { strict: { quality: { red: { reject: 0.5 } } }, lenient: {} };
  write({ rules, policies });
  service.process.kill('SIGHUP');
  await waitForRollOut(service, 'complete');
  const answers = async (): Promise<string[][]> =>
    Promise.all(['?rules=avatar', '?rules=banner', '?policy=strict', '?policy=lenient', '?rules=logo'].map(ask));
  const expected = [['accept'], ['review'], ['reject'], ['accept'], ['404 ERR_RULES_UNKNOWN']];
  assert.deepEqual(await answers(), expected);

  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ rules: { avatar: { minWith: 1 } } }, /rules\.avatar: Unrecognized key: \\"minWith\\"/],
    [{ policies: { strict: { quality: { rde: {} } } } }, /policies\.strict\.quality: the model has no label rde/],
    [{ check: { policy: 'stricter' } }, /check\.policy: there is no policy stricter/],
  ];
  for (const [configuration, fault] of wrong) {
    write(configuration);
    service.process.kill('SIGHUP');
    await waitFor(() => fault.test(service.stderr()));
    await waitForRollOut(service, 'stopped');
    assert.match((await service.health()).rollingRestart?.reason ?? '', /not reloaded.*the log says why/);
  }
  assert.deepEqual(await answers(), expected);
  await endUnharmed(load);
});

test('policies_of_a_manifest_are_taken_over_while_it_runs_and_broken_ones_are_not', async (context) => {
  const configuration = { policies: { own: { quality: { green: { reject: 0.5 } } } } };
  const { service, ask, manifestFile } = await startConfigured(context, configuration);
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as object;
  const change = (policies: unknown): void => {
    writeFileSync(manifestFile, JSON.stringify({ ...manifest, policies }));
  };
  const pids = async (): Promise<number[]> => (await service.health()).workers.map(({ pid }) => pid);
  const before = await pids();
  assert.deepEqual(await ask('?policy=strict'), ['404 ERR_POLICY_UNKNOWN']);
  assert.deepEqual(await listPolicyNames(service), ['default', 'own']);
  change({ strict: { red: { review: 0.5 } } });
  await waitFor(async () => (await ask('?policy=strict')).join() === 'review');
  assert.deepEqual(await ask(''), ['accept']);
  change({ strict: { mauve: { review: 0.5 } } });
  await waitFor(() => service.stderr().split('policies.strict.mauve: is not among').length === 3);
  assert.deepEqual(await ask('?policy=strict'), ['review']);
  change(undefined);
  await waitFor(async () => (await ask('?policy=strict')).join() === '404 ERR_POLICY_UNKNOWN');
  change({ strict: { red: { review: 0.5 } } });
  await waitFor(async () => (await listPolicyNames(service)).join() === 'default,strict,own');
  assert.deepEqual(await pids(), before);
  assert.equal((await service.health()).rollingRestart, undefined);
});

test('a_configured_policy_that_leaves_the_manifest_is_logged_and_default_holds', async (context) => {
  const policies = { strict: { red: { reject: 0.5 } } };
  const configuration = { check: { policy: 'strict' } };
  const { service, ask, manifestFile } = await startConfigured(context, configuration, { policies });
  assert.deepEqual(await ask(''), ['reject']);
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as object;
  writeFileSync(manifestFile, JSON.stringify({ ...manifest, policies: undefined }));
  await waitFor(async () => (await ask('')).join() === 'accept');
  await waitFor(() => service.stderr().split('check.policy: there is no policy strict').length === 3);
  writeFileSync(manifestFile, JSON.stringify(manifest));
  await waitFor(async () => (await ask('')).join() === 'reject');
});

test('a_form_asks_by_fields_and_every_image_is_told_of_its_own', async (context) => {
  const { service } = await startConfigured(context, { rules: { avatar: { minWidth: 300, formats: ['jpeg'] } } });
  const form = new FormData();
  form.append('rules', 'avatar');
  form.append('policy', 'default');
  for (const width of [320, 200]) form.append('image', new Blob([await makePlain(0, width)]), `${String(width)}.jpg`);
  form.append('image', new Blob(['no picture\0']), 'junk.jpg');
  const response = await fetch(`${service.url}/v1/check`, { method: 'POST', body: form });
  const { verdict, images } = (await response.json()) as {
    verdict: string;
    images: { verdict: string; rules?: unknown; checks?: { policy?: string }[]; error?: { code: string } }[];
  };
  assert.equal(verdict, 'reject');
  const formats = { rule: 'formats', limit: ['jpeg'], actual: 'jpeg', verdict: 'accept' };
  const minWidth = { rule: 'minWidth', limit: 300 };
  assert.deepEqual(
    images.map(({ verdict, rules, checks, error }) => [verdict, rules, checks?.[0]?.policy, error?.code]),
    [
      ['accept', [{ ...minWidth, actual: 320, verdict: 'accept' }, formats], 'default', undefined],
      ['reject', [{ ...minWidth, actual: 200, verdict: 'reject' }, formats], 'default', undefined],
      ['review', undefined, undefined, 'ERR_IMAGE_UNSUPPORTED'],
    ],
  );
  assert.equal(await readTotal(service.opsUrl, 'image_check_rules_total', 'rule="minWidth"', 'verdict="reject"'), 1);
});

test('the_shipped_model_says_nothing_of_24_by_16_pixels', async (context) => {
  const service = await startService(context, { args: ['--workers', '1'] });
  const { status, body } = await postForm(service.url, [{ name: 'icon.jpg', bytes: await makePhoto(1, 24, 16) }]);
  assert.equal(status, 200);
  const [image] = body.images ?? [];
  assert.deepEqual([body.verdict, image?.checks?.map(({ labels }) => labels)], ['review', [[]]]);
  const { rules } = image as unknown as { rules: { rule: string; actual: number; verdict: string }[] };
  assert.deepEqual(
    rules.map(({ rule, actual, verdict }) => [rule, actual, verdict]),
    [['too_small', 16, 'review']],
  );
});

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(context: test.TestContext, ...args: readonly string[]): Promise<Ended> {
  const started = startLauncher(context, { args });
  const code = await started.ended;
  return { code, stdout: started.stdout(), stderr: started.stderr() };
}

test('wrong_rules_and_policies_stop_the_start_and_the_config_command_by_name', async (context) => {
  const faults: readonly (readonly [string, RegExp])[] = [
    ['rules={avatar: {minWith: 1}}', /rules\.avatar: Unrecognized key: "minWith" \(--set\)/],
    ['rules={avatar: {', /rules: .* \(--set\)/],
    ['policies={strict: {quality: {blury: {}}}}', /policies\.strict\.quality: the model has no label blury/],
    ['policies={strict: {qualty: {}}}', /policies\.strict\.qualty: no such model; there are: quality/],
    ['check.policy=stricter', /check\.policy: there is no policy stricter/],
  ];
  for (const [setting, fault] of faults) {
    for (const command of [['serve', '--port', '0', '--ops-port', '0'], ['config'], ['check', 'a.jpg']]) {
      const { code, stderr } = await run(context, ...command, '--set', setting);
      assert.equal(code, 78, stderr);
      assert.match(stderr, fault);
      assert.doesNotMatch(stderr, /^ {4}at /m, 'no stack trace');
    }
  }
});

test('check_takes_rules_and_a_policy_in_this_process_and_by_a_service', async (context) => {
  const rules = { avatar: { minWidth: 400 } };
  const policies = { own: { quality: { red: { review: 0.5 } } } };
  const { service } = await startConfigured(context, { rules, policies });
  const dir = makeTempDir(context);
  const models = makeTempDir(context);
  await writeColourModel(models, { name: 'quality', policy: {} });
  const file = path.join(dir, 'white.jpg');
  writeFileSync(file, white);
  const config = path.join(dir, 'own.yaml');
  writeFileSync(config, JSON.stringify({ rules, policies }));
  for (const where of [
    ['--config', config, '--models', models],
    ['--server', service.url],
  ]) {
    const check = (...args: string[]): Promise<Ended> => run(context, 'check', ...args, ...where, file);
    const accepted = await check();
    assert.equal(accepted.code, 0);
    assert.match(accepted.stdout, /^accept {2}\S*white\.jpg\n$/);
    const ruled = await check('--rules', 'avatar', '--policy', 'own');
    assert.equal(ruled.code, 1);
    assert.match(ruled.stdout, /^reject {2}\S*white\.jpg {2}minWidth 320 \(400\), red 1\.00\n$/);
    const { stdout } = await check('--json', '--rules', 'avatar', '--policy', 'own');
    const body = JSON.parse(stdout) as { rules: unknown; checks: { policy: string }[] };
    assert.deepEqual(body.rules, [{ rule: 'minWidth', limit: 400, actual: 320, verdict: 'reject' }]);
    assert.equal(body.checks[0]?.policy, 'own');
    const unknown = await check('--rules', 'avatars');
    assert.deepEqual([unknown.code, /ERR_RULES_UNKNOWN: no rules avatars/.test(unknown.stdout)], [2, true]);
    const strict = await check('--policy', 'strict');
    assert.deepEqual([strict.code, /ERR_POLICY_UNKNOWN: no policy strict/.test(strict.stdout)], [2, true]);
  }
});
