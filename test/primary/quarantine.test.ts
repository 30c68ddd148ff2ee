import assert from 'node:assert/strict';
import test from 'node:test';
import type { QuarantineState } from '../../src/ipc/messages.ts';
import { Quarantine } from '../../src/primary/supervise/quarantine.ts';

function createQuarantine(forMs = 1000): { quarantine: Quarantine; told: QuarantineState[] } {
  const told: QuarantineState[] = [];
  const quarantine = new Quarantine(
    () => forMs,
    (state) => told.push(state),
  );
  return { quarantine, told };
}

test('the_second_strike_quarantines', () => {
  const { quarantine, told } = createQuarantine();
  quarantine.recordStrike(['a', 'b'], 0);
  quarantine.recordStrike(['a'], 10);
  assert.deepEqual(told, [
    { suspected: ['a', 'b'], quarantined: [] },
    { suspected: ['b'], quarantined: ['a'] },
  ]);
});

test('an_image_twice_in_one_batch_gets_one_strike', () => {
  const { quarantine } = createQuarantine();
  quarantine.recordStrike(['a', 'a'], 0);
  assert.deepEqual(quarantine.toState(), { suspected: ['a'], quarantined: [] });
});

test('a_strike_without_suspects_is_not_broadcast', () => {
  const { quarantine, told } = createQuarantine();
  quarantine.recordStrike([], 0);
  quarantine.clear('a');
  quarantine.expire(1e9);
  assert.deepEqual(told, []);
});

test('time_and_success_make_forget', () => {
  const { quarantine, told } = createQuarantine(1000);
  quarantine.recordStrike(['a'], 0);
  quarantine.recordStrike(['a', 'b'], 500);
  quarantine.clear('b');
  quarantine.expire(1499);
  assert.deepEqual(quarantine.toState(), { suspected: [], quarantined: ['a'] });
  quarantine.expire(1500);
  assert.deepEqual(told.at(-1), { suspected: [], quarantined: [] });
  quarantine.recordStrike(['a'], 1600);
  assert.deepEqual(told.at(-1), { suspected: ['a'], quarantined: [] });
});

test('the_oldest_are_forgotten_beyond_a_thousand', () => {
  const { quarantine } = createQuarantine();
  quarantine.recordStrike(['first', 'second'], 0);
  quarantine.recordStrike(['first'], 1);
  quarantine.recordStrike(
    Array.from({ length: 999 }, (_, index) => String(index)),
    2,
  );
  const { suspected, quarantined } = quarantine.toState();
  assert.equal(suspected.length, 999);
  assert.deepEqual(quarantined, ['first']);
});
