import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { isStopped, toDeathCause } from '../../src/primary/supervise/death-cause.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const byItself = {
  signal: undefined,
  isKilled: false,
  killReason: undefined,
  wasStopped: false,
  claimOomKill: () => false,
};

test('fault_signals_and_exits_are_crashes_and_other_signals_are_not', () => {
  for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', undefined]) {
    assert.equal(toDeathCause({ ...byItself, signal }), 'crash', signal);
  }
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']) {
    assert.equal(toDeathCause({ ...byItself, signal }), 'killed', signal);
  }
});

test('a_kill_that_the_kernel_counted_as_its_own_is_an_out_of_memory', () => {
  const claimOomKill = (): boolean => true;
  assert.equal(toDeathCause({ ...byItself, signal: 'SIGKILL', claimOomKill }), 'oom');
  assert.equal(toDeathCause({ ...byItself, signal: 'SIGTERM', claimOomKill }), 'killed');
  assert.equal(toDeathCause({ ...byItself, signal: 'SIGKILL', isKilled: true, claimOomKill }), 'killed');
});

test('a_worker_killed_for_its_heartbeat_hung_unless_it_was_stopped', () => {
  const killed = { ...byItself, signal: 'SIGKILL', isKilled: true };
  assert.equal(toDeathCause({ ...killed, killReason: 'heartbeat' }), 'hang');
  assert.equal(toDeathCause({ ...killed, killReason: 'heartbeat', wasStopped: true }), 'killed');
  for (const killReason of ['harakiri', 'boot', undefined] as const) {
    assert.equal(toDeathCause({ ...killed, killReason }), 'killed', killReason);
  }
});

test('a_stopped_process_is_known', { skip: process.platform !== 'linux' }, async (context) => {
  const child = spawn('sleep', ['60']);
  context.after(() => child.kill('SIGKILL'));
  const { pid } = child;
  assert.ok(pid !== undefined);
  assert.equal(isStopped(pid), false);
  child.kill('SIGSTOP');
  await waitFor(() => isStopped(pid));
  assert.equal(isStopped(2 ** 30), false);
});
