import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { acquireLock, type LockOptions } from '../../src/lock.ts';

test('kill_9_of_the_holder_lets_the_next_one_in', async (t) => {
  const name = createName();
  const holder = await startHolder(t, name);
  const waited = createWaiter();
  const acquiring = acquireLock(name, waited.options);
  await waited.started;
  holder.kill('SIGKILL');
  (await acquiring).release();
});

test('one_of_many_holds_it_at_a_time_and_all_get_it', async () => {
  const name = createName();
  let holders = 0;
  let turns = 0;
  const take = async (): Promise<void> => {
    const lock = await acquireLock(name, createWaiter().options);
    holders += 1;
    assert.equal(holders, 1);
    await new Promise((resolve) => setImmediate(resolve));
    holders -= 1;
    turns += 1;
    lock.release();
  };
  await Promise.all(Array.from({ length: 8 }, take));
  assert.equal(turns, 8);
});

test('a_holder_that_never_ends_is_waited_for_no_longer_than_the_timeout', async (t) => {
  const name = createName();
  await startHolder(t, name);
  await assert.rejects(acquireLock(name, { ...createWaiter().options, timeoutMs: 100 }), {
    name: 'LockError',
    message: 'another process has held the lock for too long',
  });
});

test('an_abort_ends_the_waiting_with_its_reason', async (t) => {
  const name = createName();
  await startHolder(t, name);
  const controller = new AbortController();
  const waited = createWaiter();
  const acquiring = acquireLock(name, { ...waited.options, signal: controller.signal });
  await waited.started;
  controller.abort(new Error('stopped'));
  await assert.rejects(acquiring, { message: 'stopped' });
});

test('different_names_do_not_wait_for_each_other', async (t) => {
  await startHolder(t, createName());
  const lock = await acquireLock(createName(), { ...createWaiter().options, onWait: () => assert.fail('waits') });
  lock.release();
});

function createName(): string {
  return `image-check-test-${randomUUID()}`;
}

async function startHolder(t: TestContext, name: string): Promise<ChildProcess> {
  const holder = fork(join(import.meta.dirname, 'lock-holder.ts'), [name]);
  t.after(() => holder.kill('SIGKILL'));
  await once(holder, 'message');
  return holder;
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
