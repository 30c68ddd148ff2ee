import assert from 'node:assert/strict';
import test from 'node:test';
import { restartLimits, RestartPolicy } from '../../src/primary/restart-policy.ts';

const limits = { baseMs: 100, maxMs: 500, stableMs: 1000, maxDeaths: 6 };

test('back-off doubles with each death, up to its limit, and then the slot stays down', () => {
  const policy = new RestartPolicy(limits, () => 1);
  const backOffs = Array.from({ length: 6 }, () => policy.toBackOff(0));
  assert.deepEqual(backOffs, [100, 200, 400, 500, 500, undefined]);
});

test('jitter takes up to half of the back-off away', () => {
  assert.equal(new RestartPolicy(limits, () => 0).toBackOff(0), 50);
  assert.equal(new RestartPolicy(limits, () => 0.5).toBackOff(0), 75);
});

test('deaths before a stable worker do not count, those after short lives do', () => {
  const policy = new RestartPolicy(limits, () => 1);
  policy.toBackOff(0);
  policy.toBackOff(999);
  assert.equal(policy.toBackOff(1000), 100);
  assert.equal(policy.deaths, 1);
  assert.equal(policy.toBackOff(999), 200);
});

test('a slot that was given up gets all its chances again after a reset', () => {
  const policy = new RestartPolicy({ ...limits, maxDeaths: 1 });
  assert.equal(policy.toBackOff(0), undefined);
  policy.reset();
  assert.equal(policy.deaths, 0);
});

test('a crash loop is given up after seconds, not minutes', () => {
  const policy = new RestartPolicy(restartLimits, () => 1);
  const backOffs = Array.from({ length: restartLimits.maxDeaths }, () => policy.toBackOff(0));
  const totalMs = backOffs.reduce<number>((sum, backOffMs) => sum + (backOffMs ?? 0), 0);
  assert.equal(backOffs.at(-1), undefined);
  assert.ok(totalMs > 10_000 && totalMs < 30_000, String(totalMs));
});
