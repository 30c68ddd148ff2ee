import assert from 'node:assert/strict';
import test from 'node:test';
import { DeathStreak } from '../../src/primary/death-streak.ts';

test('three deaths without an answer in between mean that requests only kill workers', () => {
  const streak = new DeathStreak();
  streak.noteDeath(0);
  streak.noteDeath(1);
  assert.equal(streak.isFailing(1), false);
  streak.noteDeath(2);
  assert.equal(streak.isFailing(2), true);
  streak.noteAnswer();
  assert.equal(streak.isFailing(2), false);
});

test('an answer in between begins the count anew', () => {
  const streak = new DeathStreak();
  streak.noteDeath(0);
  streak.noteDeath(0);
  streak.noteAnswer();
  streak.noteDeath(0);
  assert.equal(streak.isFailing(0), false);
});

test('after a pause it is tried again, and one more death is enough', () => {
  const streak = new DeathStreak();
  for (const nowMs of [0, 0, 0]) streak.noteDeath(nowMs);
  assert.equal(streak.isFailing(30_000), false);
  streak.noteDeath(40_000);
  assert.equal(streak.isFailing(40_000), true);
});
