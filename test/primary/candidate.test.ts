import assert from 'node:assert/strict';
import test from 'node:test';
import { judgeCandidate, type ReplaceableWorker } from '../../src/primary/supervise/candidate.ts';
import { cold, createReplaceable, failed, ready, type ReplaceableFacts } from '../fixtures/replaceable-worker.ts';

test('a_version_is_found_by_its_number_whether_it_is_the_highest_or_not', () => {
  const second = { ...ready, version: '2' };
  const judge = (reference: string, models: ReplaceableFacts['models']) =>
    judgeCandidate(createReplaceable({ warm: [reference], ...(models && { models }) }), createReplaceable());
  assert.equal(judge('quality@2', [second]), 'fit');
  assert.equal(judge('quality@1', [second, { ...ready, isDefault: false }]), 'fit');
  assert.deepEqual(judge('quality@2', [{ ...failed, version: '2' }]), {
    failure: 'model quality@2 failed: wrong hash',
  });
  assert.deepEqual(judge('quality@1', [second, { ...failed, isDefault: false }]), {
    failure: 'model quality@1 failed: wrong hash',
  });
  assert.equal(judge('quality@2', [{ ...cold, version: '2' }]), 'wait');
});

test('a_model_that_is_not_on_disk_any_more_keeps_nobody_from_taking_over', () => {
  const worker = createReplaceable({
    warm: ['quality', 'quality@1', 'gone'],
    models: [{ ...ready, version: '2' }],
  });
  assert.equal(judgeCandidate(worker, createReplaceable()), 'fit');
});

test('a_worker_that_has_not_listened_and_reported_is_waited_for_and_one_that_does_not_serve_is_refused', () => {
  const current = createReplaceable();
  const judge = (change: Partial<ReplaceableWorker>) => judgeCandidate(createReplaceable({ change }), current);
  assert.equal(judge({ stage: 'forked' }), 'wait');
  assert.equal(judge({ hasReported: false }), 'wait');
  assert.deepEqual(judge({ isServing: false }), { failure: 'it listens but does not serve' });
  const late = createReplaceable({ warm: ['quality'], models: [cold], change: { forkedAt: -1e9 } });
  assert.deepEqual(judgeCandidate(late, current), { failure: 'its models are not ready in time' });
});
