import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { acquireLock, type LockOptions } from '../../src/lock.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { waitFor } from '../fixtures/wait-for.ts';

test('kill_9_of_the_holder_lets_the_next_one_in', async (t) => {
  const folder = createFolder(t);
  const holder = await startHolder(t, folder);
  const waited = createWaiter();
  const acquiring = acquireLock(folder, 'lock', waited.options);
  await waited.started;
  holder.kill('SIGKILL');
  (await acquiring).release();
});

test('one_of_many_holds_it_at_a_time_and_all_get_it', async (t) => {
  const folder = createFolder(t);
  let holders = 0;
  let turns = 0;
  const take = async (): Promise<void> => {
    const lock = await acquireLock(folder, 'lock', createWaiter().options);
    holders += 1;
    assert.equal(holders, 1);
    await new Promise((resolve) => setImmediate(resolve));
    holders -= 1;
    turns += 1;
    lock.release();
  };
  await Promise.all(Array.from({ length: 30 }, take));
  assert.equal(turns, 30);
  assert.deepEqual(readdirSync(folder).sort(), ['lock.29', 'lock.30']);
});

test('a_holder_that_never_ends_is_waited_for_no_longer_than_the_timeout', async (t) => {
  const folder = createFolder(t);
  await startHolder(t, folder);
  await assert.rejects(acquireLock(folder, 'lock', { ...createWaiter().options, timeoutMs: 100 }), {
    name: 'LockError',
    message: 'another process has held the lock for too long',
  });
});

test('an_abort_ends_the_waiting_with_its_reason', async (t) => {
  const folder = createFolder(t);
  await startHolder(t, folder);
  const controller = new AbortController();
  const waited = createWaiter();
  const acquiring = acquireLock(folder, 'lock', { ...waited.options, signal: controller.signal });
  await waited.started;
  controller.abort(new Error('stopped'));
  await assert.rejects(acquiring, { message: 'stopped' });
});

test('different_names_do_not_wait_for_each_other', async (t) => {
  const folder = createFolder(t);
  await startHolder(t, folder);
  const lock = await acquireLock(folder, 'other', { ...createWaiter().options, onWait: () => assert.fail('waits') });
  lock.release();
});

test('many_processes_that_are_killed_while_they_hold_it_never_hold_it_together', async (t) => {
  const folder = createFolder(t);
  for (let round = 0; round < 3; round++) {
    const holders = [1, 2, 3].map(() => forkHolder(t, folder));
    while (holders.length > 0) {
      const holding = await waitForHolder(holders);
      assert.equal(holders.filter(({ holds }) => holds()).length, 1);
      holding.process.kill('SIGKILL');
      await once(holding.process, 'exit');
      holders.splice(holders.indexOf(holding), 1);
    }
  }
});

test('a_folder_with_a_path_longer_than_a_socket_address_works', async (t) => {
  const folder = join(createFolder(t), 'd'.repeat(150));
  await startHolder(t, folder);
  const waited = createWaiter();
  const acquiring = acquireLock(folder, 'lock', { ...waited.options, timeoutMs: 100 });
  await waited.started;
  await assert.rejects(acquiring, { name: 'LockError' });
});

test('a_folder_that_others_may_enter_is_refused', async (t) => {
  const folder = createFolder(t);
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  await assert.rejects(acquireLock(folder, 'lock', createWaiter().options), /is open to other users/);
});

function createFolder(t: TestContext): string {
  return join(makeTempDir(t), 'locks');
}

interface Holder {
  readonly process: ChildProcess;
  readonly holds: () => boolean;
}

function forkHolder(t: TestContext, folder: string): Holder {
  const holder = fork(join(import.meta.dirname, 'lock-holder.ts'), [folder]);
  t.after(() => holder.kill('SIGKILL'));
  let holds = false;
  holder.once('message', () => (holds = true));
  return { process: holder, holds: () => holds };
}

async function waitForHolder(holders: readonly Holder[]): Promise<Holder> {
  await waitFor(() => holders.some(({ holds }) => holds()));
  const holder = holders.find(({ holds }) => holds());
  assert.ok(holder);
  return holder;
}

async function startHolder(t: TestContext, folder: string): Promise<ChildProcess> {
  const holder = forkHolder(t, folder);
  await waitForHolder([holder]);
  return holder.process;
}

function createWaiter(): { options: LockOptions; started: Promise<void> } {
  let onWait = (): void => undefined;
  const started = new Promise<void>((resolve) => (onWait = resolve));
  const { signal } = new AbortController();
  return {
    options: {
      signal,
      timeoutMs: 10_000,
      onWait: () => {
        onWait();
      },
    },
    started,
  };
}
