import assert from 'node:assert/strict';
import test from 'node:test';
import { DeathStreak } from '../../src/primary/supervise/death-streak.ts';

test('three_deaths_without_an_answer_in_between_mean_that_requests_only_kill_workers', () => {
  const streak = new DeathStreak();
  streak.recordDeath(0);
  streak.recordDeath(1);
  assert.equal(streak.isFailing(1), false);
  streak.recordDeath(2);
  assert.equal(streak.isFailing(2), true);
  streak.recordAnswer();
  assert.equal(streak.isFailing(2), false);
});

test('an_answer_in_between_begins_the_count_anew', () => {
  const streak = new DeathStreak();
  streak.recordDeath(0);
  streak.recordDeath(0);
  streak.recordAnswer();
  streak.recordDeath(0);
  assert.equal(streak.isFailing(0), false);
});

test('after_a_pause_it_is_tried_again_and_one_more_death_is_enough', () => {
  const streak = new DeathStreak();
  for (const nowMs of [0, 0, 0]) streak.recordDeath(nowMs);
  assert.equal(streak.isFailing(30_000), false);
  streak.recordDeath(40_000);
  assert.equal(streak.isFailing(40_000), true);
});
