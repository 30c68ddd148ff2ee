import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { toManifest } from '../../src/model/manifest.ts';
import { toNamedPolicies } from '../../src/train/learning/named-policies.ts';

test('the_shipped_policies_match_those_of_a_training', () => {
  const file = new URL('../../models/quality/2/manifest.json', import.meta.url);
  const { policy, policies } = toManifest(readFileSync(file, 'utf8'));
  assert.deepEqual(policies, toNamedPolicies(policy));
});

test('strict_flags_more_and_lenient_less_than_the_default', () => {
  for (const threshold of [0.01, 0.2, 0.5, 0.89, 0.97]) {
    const { strict, lenient } = toNamedPolicies({ a: { review: threshold, reject: threshold }, b: {} });
    assert.ok((strict?.['a']?.review ?? 1) <= threshold, String(threshold));
    assert.ok((lenient?.['a']?.review ?? 0) >= threshold, String(threshold));
    assert.deepEqual([strict?.['b'], lenient?.['b']], [{}, {}]);
  }
});

test('odds_times_three_give_the_expected_thresholds', () => {
  const { strict, lenient } = toNamedPolicies({ a: { review: 0.5 }, b: { review: 0, reject: 1 } });
  assert.deepEqual(strict, { a: { review: 0.25 }, b: { review: 0, reject: 1 } });
  assert.deepEqual(lenient, { a: { review: 0.75 }, b: { review: 0, reject: 1 } });
});
