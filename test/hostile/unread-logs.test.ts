import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import test, { type TestContext } from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { postRaw } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

/** A JPEG whose last fifth is lost: libjpeg writes of such pictures to stderr. */
async function makeTruncated(seed: number): Promise<Buffer> {
  const photo = await makePhoto(seed);
  const kept = Math.floor(photo.length * 0.8);
  return Buffer.concat([photo.subarray(0, kept), Buffer.from([0xff, 0xd9])]);
}

/** Every line on stderr since the launcher has built. @throws SyntaxError where one is not JSON */
function listEvents(service: Service): { readonly msg: string }[] {
  const lines = service.stderr().trimEnd().split('\n');
  const built = lines.filter((line) => !line.startsWith('image-check: building '));
  return built.map((line) => JSON.parse(line) as { readonly msg: string });
}

async function readDropped(service: Service, log: string): Promise<number> {
  const text = await (await fetch(`${service.opsUrl}/metrics`)).text();
  const value = new RegExp(`^image_check_log_lines_dropped_total\\{log="${log}"\\} (\\d+)$`, 'm').exec(text)?.[1];
  assert.ok(value !== undefined, `no such series: ${log}`);
  return Number(value);
}

async function flood(service: Service, context: TestContext, count: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  context.after(() => {
    agent.destroy();
  });
  const bad = await makeTruncated(3);
  const headers = { 'User-Agent': 'x'.repeat(4000) };
  const answers = await Promise.all(Array.from({ length: count }, () => postRaw(service.url, bad, { agent, headers })));
  return answers.map(({ status }) => status);
}

test('logs_that_nobody_reads_hold_up_no_request_and_no_probe_and_the_lines_are_valid_when_read_again', async (t) => {
  const service = await startService(t, { args: ['--set', 'log.access=json'] });
  const photo = await makePhoto(1);
  await warmWorkers(service, photo);
  service.process.stdout?.pause();
  service.process.stderr?.pause();
  const statuses = await flood(service, t, 400);
  assert.deepEqual([...new Set(statuses)], [422]);
  assert.equal((await postRaw(service.url, photo)).status, 200);
  // The primary logs, too.
  service.process.kill('SIGHUP');
  await waitFor(async () => (await service.health()).rollingRestart?.state === 'complete');
  assert.equal((await postRaw(service.url, photo)).status, 200);
  service.process.stdout?.resume();
  service.process.stderr?.resume();
  await waitFor(() => service.stderr().includes('rolling restart complete'));
  assert.ok(listEvents(service).length > 0);
});

test('what_native_code_writes_to_stderr_becomes_events_a_bounded_number_of_them', async (t) => {
  const service = await startService(t);
  await warmWorkers(service, await makePhoto(1));
  await flood(service, t, 200);
  await waitFor(async () => (await readDropped(service, 'native')) > 0);
  const native = listEvents(service).filter(({ msg }) => msg === 'worker wrote to stderr');
  assert.ok(native.length > 0 && native.length < 200, String(native.length));
});
