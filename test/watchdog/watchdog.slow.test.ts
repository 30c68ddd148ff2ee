import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { createRunDelayMeter } from '../../src/inference/run-delay.ts';
import { threadPriority } from '../../src/inference/thread-priority.ts';
import { startWatchdog } from '../../src/watchdog.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** Runs a script beside the watch's module, in a process of its own. */
function startScript(context: test.TestContext, body: string) {
  const module = new URL('../../src/watchdog.ts', import.meta.url).href;
  const meter = new URL('../../src/inference/run-delay.ts', import.meta.url).href;
  const script = `
    import { Worker } from 'node:worker_threads';
    import { startWatchdog } from ${JSON.stringify(module)};
    import { createRunDelayMeter } from ${JSON.stringify(meter)};
    const startedAt = performance.now();
    const tell = (name) => console.log(name, Math.round(performance.now() - startedAt));
    ${body}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { child, output: () => output };
}

test('what_does_not_come_back_in_its_time_is_told', async () => {
  const startedAt = performance.now();
  let toldAfterMs = 0;
  startWatchdog(400, createRunDelayMeter, () => (toldAfterMs = performance.now() - startedAt));
  await waitFor(() => toldAfterMs > 0);
  assert.ok(toldAfterMs >= 390, String(toldAfterMs));
});

test('what_came_back_is_not_told_in_either_half', async () => {
  const told: string[] = [];
  const stopEarly = startWatchdog(400, createRunDelayMeter, () => told.push('early'));
  const stopLate = startWatchdog(400, createRunDelayMeter, () => told.push('late'));
  stopEarly();
  const startedAt = performance.now();
  await waitFor(() => performance.now() - startedAt > 250);
  stopLate();
  startWatchdog(400, createRunDelayMeter, () => told.push('control'));
  await waitFor(() => told.length > 0);
  assert.deepEqual(told, ['control']);
});

test('the_time_in_which_the_process_was_stopped_does_not_count', async (context) => {
  const { child, output } = startScript(
    context,
    `console.log('ready'); startWatchdog(1000, createRunDelayMeter, () => tell('hung'));`,
  );
  await waitFor(() => output().includes('ready'));
  child.kill('SIGSTOP');
  const stoppedAt = performance.now();
  await waitFor(() => performance.now() - stoppedAt > 3000);
  child.kill('SIGCONT');
  await once(child, 'close');
  const tookMs = Number(/hung (\d+)/.exec(output())?.[1]);
  assert.ok(tookMs >= 3700, `a second of its own beside the three: ${String(tookMs)} ms`);
});

test(
  'threads_of_low_priority_that_wait_for_a_cpu_are_not_hung',
  { skip: process.platform !== 'linux' },
  async (context) => {
    // Four threads of the priority of model threads share one CPU: each of them waits most of the time.
    const { child, output } = startScript(
      context,
      `const spin = "require('node:os').setPriority(${String(threadPriority)}); const until = Date.now() + 4000; while (Date.now() < until);";
    const threads = Array.from({ length: 4 }, () => new Worker(spin, { eval: true, execArgv: [] }));
    await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('online', resolve))));
    startWatchdog(1000, createRunDelayMeter, () => tell('hung'));
    console.log('ready');`,
    );
    await waitFor(() => output().includes('ready'));
    const pinning = spawn('taskset', ['-acp', '0', String(child.pid)], { stdio: 'ignore' });
    await waitFor(() => pinning.exitCode === 0);
    await once(child, 'close');
    const tookMs = Number(/hung (\d+)/.exec(output())?.[1]);
    assert.ok(tookMs > 3500, `while they competed nothing was hung: ${String(tookMs)} ms`);
  },
);
