import assert from 'node:assert/strict';
import test from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import type { ModelSnapshot } from '../../src/ipc/messages.ts';
import { judgeCandidate, type ReplaceableWorker } from '../../src/primary/supervise/candidate.ts';
import { listWarmModels } from '../../src/primary/supervise/inheritance.ts';

const cold: ModelSnapshot = { version: '1', engine: 'wasm', state: 'cold' };
const ready: ModelSnapshot = { ...cold, state: 'ready' };
const failed: ModelSnapshot = { ...cold, state: 'failed', reason: 'wrong hash' };

interface Facts {
  readonly models?: Readonly<Record<string, ModelSnapshot>>;
  readonly warm?: readonly string[];
  readonly change?: Partial<ReplaceableWorker>;
}

function createReplaceable({ models = {}, warm = [], change }: Facts): ReplaceableWorker {
  return {
    start: { slot: 0, engine: 'wasm', config: configSchema.parse({}), warm, hung: [], versions: {} },
    stage: 'listening',
    forkedAt: performance.now(),
    bootLimitMs: 60_000,
    hasReported: true,
    isServing: true,
    snapshot: {
      serving: true,
      ready: true,
      models,
      inFlight: 0,
      queueDepth: 0,
      checked: 0,
      requests: 0,
      memory: { rssBytes: 1, pssBytes: 1, privateBytes: 1 },
      metrics: [],
    },
    ...change,
  };
}

function listWarm(facts: Facts, reason: 'reload' | 'age', models = ['quality']): string[] {
  return listWarmModels(createReplaceable(facts), configSchema.parse({ check: { models } }), reason);
}

test('the_next_worker_loads_what_is_loaded_and_at_a_reload_what_judges_by_default_too', () => {
  const models = { quality: cold, nsfw: ready, 'nsfw@1': ready, other: failed };
  assert.deepEqual(listWarm({ models }, 'age'), ['nsfw', 'nsfw@1']);
  assert.deepEqual(listWarm({ models }, 'reload'), ['nsfw', 'nsfw@1', 'quality']);
  assert.deepEqual(listWarm({ models: { quality: ready } }, 'reload', ['quality', 'quality@2']), [
    'quality',
    'quality@2',
  ]);
});

test('where_nothing_serves_there_is_nothing_to_prove_before_it_does', () => {
  const models = { quality: failed };
  assert.deepEqual(listWarm({ models, change: { isServing: false } }, 'reload'), []);
  assert.deepEqual(listWarmModels(undefined, configSchema.parse({}), 'reload'), []);
});

test('a_worker_that_still_starts_passes_on_what_it_was_told_to_load', () => {
  const change = { stage: 'forked', isServing: false, snapshot: undefined } as const;
  assert.deepEqual(listWarm({ warm: ['quality'], change }, 'age'), ['quality']);
});

test('a_version_is_found_by_its_number_whether_it_is_the_highest_or_not', () => {
  const current = createReplaceable({});
  const second = { ...ready, version: '2' };
  const judge = (reference: string, models: Facts['models']) =>
    judgeCandidate(createReplaceable({ warm: [reference], ...(models && { models }) }), current);
  assert.equal(judge('quality@2', { quality: second }), 'fit');
  assert.equal(judge('quality@1', { quality: second, 'quality@1': ready }), 'fit');
  assert.deepEqual(judge('quality@2', { quality: { ...failed, version: '2' } }), {
    failure: 'model quality@2 failed: wrong hash',
  });
  assert.deepEqual(judge('quality@1', { quality: second, 'quality@1': failed }), {
    failure: 'model quality@1 failed: wrong hash',
  });
  assert.equal(judge('quality@2', { quality: { ...cold, version: '2' } }), 'wait');
});

test('a_model_that_is_not_on_disk_any_more_keeps_nobody_from_taking_over', () => {
  const worker = createReplaceable({
    warm: ['quality', 'quality@1', 'gone'],
    models: { quality: { ...ready, version: '2' } },
  });
  assert.equal(judgeCandidate(worker, createReplaceable({})), 'fit');
});

test('a_worker_that_has_not_listened_and_reported_is_waited_for_and_one_that_does_not_serve_is_refused', () => {
  const current = createReplaceable({});
  const judge = (change: Partial<ReplaceableWorker>) => judgeCandidate(createReplaceable({ change }), current);
  assert.equal(judge({ stage: 'forked' }), 'wait');
  assert.equal(judge({ hasReported: false }), 'wait');
  assert.deepEqual(judge({ isServing: false }), { failure: 'it listens but does not serve' });
  const late = createReplaceable({ warm: ['quality'], models: { quality: cold }, change: { forkedAt: -1e9 } });
  assert.deepEqual(judgeCandidate(late, current), { failure: 'its models are not ready in time' });
});
