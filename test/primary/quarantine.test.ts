import assert from 'node:assert/strict';
import test from 'node:test';
import type { Suspicions } from '../../src/ipc/messages.ts';
import { Quarantine } from '../../src/primary/supervise/quarantine.ts';

function createQuarantine(forMs = 1000): { quarantine: Quarantine; told: Suspicions[] } {
  const told: Suspicions[] = [];
  const quarantine = new Quarantine(
    () => forMs,
    (suspicions) => told.push(suspicions),
  );
  return { quarantine, told };
}

test('the_second_accident_quarantines', () => {
  const { quarantine, told } = createQuarantine();
  quarantine.blame(['a', 'b'], 0);
  quarantine.blame(['a'], 10);
  assert.deepEqual(told, [
    { suspected: ['a', 'b'], quarantined: [] },
    { suspected: ['b'], quarantined: ['a'] },
  ]);
});

test('an_image_twice_in_one_batch_had_one_accident', () => {
  const { quarantine } = createQuarantine();
  quarantine.blame(['a', 'a'], 0);
  assert.deepEqual(quarantine.toSuspicions(), { suspected: ['a'], quarantined: [] });
});

test('an_accident_without_suspects_is_not_told', () => {
  const { quarantine, told } = createQuarantine();
  quarantine.blame([], 0);
  quarantine.clear('a');
  quarantine.expire(1e9);
  assert.deepEqual(told, []);
});

test('time_and_success_make_forget', () => {
  const { quarantine, told } = createQuarantine(1000);
  quarantine.blame(['a'], 0);
  quarantine.blame(['a', 'b'], 500);
  quarantine.clear('b');
  quarantine.expire(1499);
  assert.deepEqual(quarantine.toSuspicions(), { suspected: [], quarantined: ['a'] });
  quarantine.expire(1500);
  assert.deepEqual(told.at(-1), { suspected: [], quarantined: [] });
  quarantine.blame(['a'], 1600);
  assert.deepEqual(told.at(-1), { suspected: ['a'], quarantined: [] });
});

test('the_oldest_are_forgotten_beyond_a_thousand', () => {
  const { quarantine } = createQuarantine();
  quarantine.blame(['first', 'second'], 0);
  quarantine.blame(['first'], 1);
  quarantine.blame(
    Array.from({ length: 999 }, (_, index) => String(index)),
    2,
  );
  const { suspected, quarantined } = quarantine.toSuspicions();
  assert.equal(suspected.length, 999);
  assert.deepEqual(quarantined, ['first']);
});
