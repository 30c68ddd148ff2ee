import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { describeMachine } from '../../src/setup/machine.ts';
import { defaultProbe, probeEngine, probeOnce, type ProbeOptions } from '../../src/setup/probing.ts';

const machine = describeMachine();

test('a_probe_that_hangs_is_killed_and_named', async (t) => {
  const options = await createProbe(t, 'setInterval(() => undefined, 1000);');
  await assert.rejects(probeEngine({ ...options, timeoutMs: 300 }, machine), {
    name: 'UnavailableError',
    message: 'TensorFlow did not run its first operation within 0.3 s',
  });
});

test('a_probe_that_dies_by_a_signal_gives_the_signal_and_its_last_words', async (t) => {
  const options = await createProbe(t, "process.stderr.write('last words\\n'); process.kill(process.pid, 'SIGILL');");
  await assert.rejects(probeEngine(options, machine), { message: 'TensorFlow crashed with SIGILL: last words' });
});

test('a_crash_on_a_cpu_without_avx_says_so', async (t) => {
  const options = await createProbe(t, "process.kill(process.pid, 'SIGABRT');");
  await assert.rejects(probeEngine(options, { ...machine, cpuFlags: ['sse2'] }), {
    message: 'TensorFlow crashed with SIGABRT (this CPU has no AVX)',
  });
});

test('a_probe_that_fails_gives_the_failure_in_one_line', async (t) => {
  const options = await createProbe(t, "process.send({ failure: 'GLIBC_2.99\\n  not found' });");
  await assert.rejects(probeEngine(options, machine), { message: 'TensorFlow does not work: GLIBC_2.99 not found' });
});

test('a_probe_that_ends_without_a_word_is_no_success', async (t) => {
  const options = await createProbe(t, '');
  await assert.rejects(probeEngine(options, machine), { message: 'TensorFlow crashed with exit code 0' });
});

test('messages_of_a_process_manager_are_not_taken_for_the_outcome', async (t) => {
  const options = await createProbe(
    t,
    "process.send({ node_version: '20' }, () => process.send({ version: '2.15.1' }));",
  );
  assert.equal(await probeEngine(options, machine), '2.15.1');
});

test('a_probe_ends_with_an_abort_and_its_reason', async (t) => {
  const options = await createProbe(t, 'setInterval(() => undefined, 1000);');
  const controller = new AbortController();
  const probing = probeEngine({ ...options, signal: controller.signal }, machine);
  controller.abort(new Error('stopped'));
  await assert.rejects(probing, { message: 'stopped' });
});

test('a_success_is_remembered_until_node_or_machine_change_and_a_failure_never', async (t) => {
  const working = await createProbe(t, "process.send({ version: '2.15.1' });");
  const broken = await createProbe(t, "process.send({ failure: 'broken' });");
  const cache = join(working.file, '..', 'cache');
  await mkdir(cache);
  await assert.rejects(probeOnce(broken, machine, cache), { message: /broken/ });
  assert.equal(await probeOnce(working, machine, cache), '2.15.1');
  assert.equal(await probeOnce(broken, machine, cache), '2.15.1');
  await assert.rejects(probeOnce(broken, { ...machine, glibc: '2.17' }, cache), { message: /broken/ });
  await assert.rejects(probeOnce(broken, { ...machine, cpuFlags: ['avx'] }, cache), { message: /broken/ });
});

test('a_cache_that_takes_no_stamp_costs_a_probe_but_works', async (t) => {
  const working = await createProbe(t, "process.send({ version: '2.15.1' });");
  assert.equal(await probeOnce(working, machine, join(working.file, '..', 'missing')), '2.15.1');
});

test('the_wasm_engine_passes_the_real_probe', async () => {
  const { signal } = new AbortController();
  const version = await probeEngine({ engine: 'wasm', environment: process.env, signal, ...defaultProbe }, machine);
  assert.match(version, /^\d+\.\d+\.\d+$/);
});

async function createProbe(t: TestContext, code: string): Promise<ProbeOptions> {
  const folder = await mkdtemp(join(tmpdir(), 'image-check-probe-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'probe.mjs');
  await writeFile(file, code);
  const { signal } = new AbortController();
  return { engine: 'tensorflow', environment: process.env, signal, file, timeoutMs: 30_000 };
}
