import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  postParts,
  type RunningService,
  sendRaw,
  startHttpServer,
  toChecked,
  toPart,
  toRawPost,
} from './running-service.ts';

let service: RunningService | undefined;
let child: ChildProcessByStdio<Writable, Readable, Readable> | undefined;
afterEach(async () => {
  child?.kill('SIGKILL');
  await service?.close();
  child = service = undefined;
});

async function start(log: object): Promise<RunningService> {
  return (service = await startHttpServer({
    config: { log },
    check: ({ images }) => {
      const [first, ...others] = images.map((image) => toChecked(image));
      const labels = [
        { label: 'dark', score: 0.99, thresholds: { review: 0.999 }, verdict: 'accept' },
        { label: 'blurry', score: 0.97134, thresholds: { reject: 0.8 }, verdict: 'reject' },
      ] as const;
      const checks = [{ model: 'quality', version: '7', engine: 'wasm', verdict: 'reject', labels }] as const;
      const worst = images.slice(-1).map((image) => toChecked(image, { verdict: 'reject', checks }));
      return Promise.resolve({
        verdict: 'reject',
        images: [first, ...others.slice(0, -1), ...worst].flatMap((one) => one ?? []),
      });
    },
  }));
}

const two = [toPart('name="image"; filename="a.jpg"'), toPart('name="image"; filename="private.jpg"')];

test('a_verdict_is_in_the_log_variables_the_label_that_weighs_most_and_the_steps', async () => {
  const { url, accessLines } = await start({
    accessFormat:
      '%(status) %(model)@%(version) %(label)=%(score) %(verdict) %(images) %(queue_ms) %(infer_ms) %(decode_ms) %(reqid) %(error)',
  });
  const reply = await postParts(url, ...two);
  const requestId = reply.headers.get('x-request-id') ?? '';
  assert.deepEqual(await accessLines(), [`200 quality@7 blurry=0.9713 reject 2 0.3 9.4 3.1 ${requestId} -`]);
});

test('an_error_is_in_the_log_by_its_code_and_no_file_name_ever_is', async () => {
  const { url, accessLines } = await start({ access: 'json' });
  await postParts(url, ...two);
  await fetch(`${url}/nowhere`, { headers: { 'User-Agent': 'a "b"' } });
  const [verdict = '', missing = ''] = await accessLines();
  assert.doesNotMatch(verdict, /private/);
  const line = JSON.parse(missing) as Record<string, unknown>;
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(
    [
      line['method'],
      line['uri'],
      line['proto'],
      line['status'],
      line['error'],
      line['uagent'],
      line['slot'],
      line['pid'],
    ],
    ['GET', '/nowhere', 'HTTP/1.1', 404, 'ERR_NOT_FOUND', 'a "b"', 3, 4242],
  );
});

test('sizes_in_the_log_are_those_on_the_wire', async () => {
  const { port, accessLines } = await start({ accessFormat: '%(hsize) %(rsize) %(size) %(cl)' });
  const { text, body } = await sendRaw(port, toRawPost(['Content-Length: 1', 'Connection: close'], 'x', '/nowhere'));
  const headerBytes = text.length - body.length;
  const expected = `${String(headerBytes)} ${String(body.length)} ${String(text.length)} 1`;
  assert.deepEqual(await accessLines(), [expected]);
});

test('an_access_log_that_is_off_writes_nothing', async () => {
  const { url, accessLines } = await start({ access: 'off' });
  await fetch(`${url}/nowhere`);
  assert.deepEqual(await accessLines(), []);
});

function run(...args: string[]): ChildProcessByStdio<Writable, Readable, Readable> {
  const script = fileURLToPath(new URL('access-log-process.ts', import.meta.url));
  child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: 'pipe' });
  return child;
}

async function readAll(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

test('a_process_that_flushes_and_is_killed_has_lost_no_line', async () => {
  const { stdout } = run('kill', '20000');
  const lines = (await readAll(stdout)).split('\n');
  assert.equal(lines.length, 20_001);
  assert.equal(lines[19_999]?.split('/')[1], '19999');
});

test('a_process_that_just_ends_has_lost_no_line', async () => {
  const lines = (await readAll(run('end', '5000').stdout)).split('\n');
  assert.equal(lines.length, 5001);
});

test('a_reader_that_stands_still_does_not_hold_up_the_process', { timeout: 30_000 }, async () => {
  const { stderr } = run('report', '20000');
  const text = await readAll(stderr);
  assert.match(text, /^wrote in \d+ ms$/m);
});

test('a_closed_stdout_does_not_end_the_process_each_loss_is_told', async () => {
  const running = run('go-on', '10');
  await once(running.stdout, 'data');
  running.stdout.destroy();
  running.stdin.end();
  const [text] = await Promise.all([readAll(running.stderr), once(running, 'exit')]);
  assert.match(text, /still here/);
  assert.equal(running.exitCode, 0);
  assert.match(text, /lost: .*EPIPE/);
});
