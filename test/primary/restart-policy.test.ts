import assert from 'node:assert/strict';
import test from 'node:test';
import { restartLimits, RestartPolicy } from '../../src/primary/supervise/restart-policy.ts';

const limits = { baseMs: 100, maxMs: 500, stableMs: 1000, maxDeaths: 6 };

test('backoff_doubles_with_each_death_up_to_its_limit_and_then_the_slot_stays_down', () => {
  const policy = new RestartPolicy(limits, () => 1);
  const backoffs = Array.from({ length: 6 }, () => policy.recordDeath(0));
  assert.deepEqual(backoffs, [100, 200, 400, 500, 500, undefined]);
});

test('jitter_takes_up_to_half_of_the_backoff_away', () => {
  assert.equal(new RestartPolicy(limits, () => 0).recordDeath(0), 50);
  assert.equal(new RestartPolicy(limits, () => 0.5).recordDeath(0), 75);
});

test('deaths_before_a_stable_worker_do_not_count_those_after_short_lives_do', () => {
  const policy = new RestartPolicy(limits, () => 1);
  policy.recordDeath(0);
  policy.recordDeath(999);
  assert.equal(policy.recordDeath(1000), 100);
  assert.equal(policy.deaths, 1);
  assert.equal(policy.recordDeath(999), 200);
});

test('a_slot_that_was_given_up_gets_all_its_chances_again_after_a_reset', () => {
  const policy = new RestartPolicy({ ...limits, maxDeaths: 1 });
  assert.equal(policy.recordDeath(0), undefined);
  policy.reset();
  assert.equal(policy.deaths, 0);
});

test('a_crash_loop_is_given_up_after_seconds_not_minutes', () => {
  const policy = new RestartPolicy(restartLimits, () => 1);
  const backoffs = Array.from({ length: restartLimits.maxDeaths }, () => policy.recordDeath(0));
  const totalMs = backoffs.reduce<number>((sum, backoffMs) => sum + (backoffMs ?? 0), 0);
  assert.equal(backoffs.at(-1), undefined);
  assert.ok(totalMs > 10_000 && totalMs < 30_000, String(totalMs));
});
