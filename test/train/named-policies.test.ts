import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { toManifest } from '../../src/model/manifest.ts';
import { toNamedPolicies } from '../../src/train/learning/named-policies.ts';

test('the_shipped_policies_are_those_that_a_training_would_write', () => {
  const file = new URL('../../models/quality/2/manifest.json', import.meta.url);
  const { policy, policies } = toManifest(readFileSync(file, 'utf8'));
  assert.deepEqual(policies, toNamedPolicies(policy));
});

test('strict_flags_what_default_flags_and_lenient_nothing_else', () => {
  for (const threshold of [0.01, 0.2, 0.5, 0.89, 0.97]) {
    const { strict, lenient } = toNamedPolicies({ a: { review: threshold, reject: threshold }, b: {} });
    assert.ok((strict?.['a']?.review ?? 1) <= threshold, String(threshold));
    assert.ok((lenient?.['a']?.review ?? 0) >= threshold, String(threshold));
    assert.deepEqual([strict?.['b'], lenient?.['b']], [{}, {}]);
  }
});

test('three_times_the_odds_are_a_known_threshold_and_the_ends_stay', () => {
  const { strict, lenient } = toNamedPolicies({ a: { review: 0.5 }, b: { review: 0, reject: 1 } });
  assert.deepEqual(strict, { a: { review: 0.25 }, b: { review: 0, reject: 1 } });
  assert.deepEqual(lenient, { a: { review: 0.75 }, b: { review: 0, reject: 1 } });
});
