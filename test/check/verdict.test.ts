import assert from 'node:assert/strict';
import test from 'node:test';
import { toModelResult } from '../../src/check/verdict.ts';
import { toManifest } from '../../src/model/manifest.ts';
import { toWorst } from '../../src/model/policy.ts';

const manifest = toManifest(
  JSON.stringify({
    format: 'tfjs-layers',
    input: { width: 8, height: 8, resize: 'cover' },
    output: { kind: 'multi-label', labels: ['a', 'b'] },
    policy: { a: { review: 0.5, reject: 0.8 } },
    files: {},
  }),
);
const model = { name: 'm', version: '1', dir: '/', manifest };
const policy = { name: 'default', thresholds: manifest.policy };
const planned = { model, policy, isPolicyTold: false };
const verdictOf = (score: number): string => toModelResult(planned, 'wasm', Float32Array.of(score, 1)).verdict;

test('a_score_that_reaches_a_threshold_flags', () => {
  assert.deepEqual([0, 0.49, 0.5, 0.75, 0.875, 1].map(verdictOf), [
    'accept',
    'accept',
    'review',
    'review',
    'reject',
    'reject',
  ]);
});

test('a_score_that_is_not_a_number_is_never_accepted', () => {
  for (const score of [Number.NaN, Infinity]) assert.throws(() => verdictOf(score), /not a number/);
});

test('nothing_to_judge_is_accepted_and_the_worst_wins', () => {
  assert.equal(toWorst([]), 'accept');
  assert.equal(toWorst(['review', 'reject', 'accept']), 'reject');
});
