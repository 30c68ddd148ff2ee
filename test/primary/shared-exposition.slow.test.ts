import assert from 'node:assert/strict';
import test from 'node:test';
import { createSharedExposition } from '../../src/primary/ops/shared-exposition.ts';

test('callers_share_the_merge_in_flight_and_its_text_for_a_second_after_it', async (t) => {
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const pending: ((text: string) => void)[] = [];
  const read = createSharedExposition(() => new Promise((resolve) => pending.push(resolve)));
  const first = [read(), read()];
  nowMs = 5000;
  first.push(read());
  assert.equal(pending.length, 1, 'a merge that takes long is not started again');
  pending[0]?.('one');
  assert.deepEqual(await Promise.all(first), ['one', 'one', 'one']);
  nowMs = 5999;
  assert.equal(await read(), 'one');
  assert.equal(pending.length, 1);
  nowMs = 6000;
  const second = read();
  pending[1]?.('two');
  assert.equal(await second, 'two');
});

test('a_failed_merge_reaches_everyone_who_waited_for_it_and_is_not_kept', async () => {
  let merges = 0;
  const read = createSharedExposition(() => {
    merges += 1;
    return merges === 1 ? Promise.reject(new Error('a bug')) : Promise.resolve('text');
  });
  const outcomes = await Promise.allSettled([read(), read()]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await read(), 'text');
  assert.equal(merges, 2);
});
