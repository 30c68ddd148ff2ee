import assert from 'node:assert/strict';
import test from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import { listHungModels, listVersions, listWarmModels } from '../../src/primary/supervise/inheritance.ts';
import { cold, createReplaceable, failed, ready, type ReplaceableFacts } from '../fixtures/replaceable-worker.ts';

function listWarm(facts: ReplaceableFacts, reason: 'reload' | 'age', models = ['quality']): string[] {
  return listWarmModels(createReplaceable(facts), configSchema.parse({ check: { models } }), reason);
}

test('the_next_worker_loads_what_is_loaded_and_at_a_reload_the_default_models_too', () => {
  const nsfw = { ...ready, name: 'nsfw', version: '2' };
  const models = [cold, nsfw, { ...nsfw, version: '1', isDefault: false }, { ...failed, name: 'other' }];
  assert.deepEqual(listWarm({ models }, 'age'), ['nsfw', 'nsfw@1']);
  assert.deepEqual(listWarm({ models }, 'reload'), ['nsfw', 'nsfw@1', 'quality']);
  assert.deepEqual(listWarm({ models: [ready] }, 'reload', ['quality', 'quality@2']), ['quality', 'quality@2']);
});

test('where_nothing_serves_there_is_nothing_to_prove_before_it_does', () => {
  assert.deepEqual(listWarm({ models: [failed], change: { isServing: false } }, 'reload'), []);
  assert.deepEqual(listWarmModels(undefined, configSchema.parse({}), 'reload'), []);
});

test('a_worker_that_still_starts_passes_on_what_it_was_told_to_load', () => {
  const change = { stage: 'forked', isServing: false, snapshot: undefined } as const;
  assert.deepEqual(listWarm({ warm: ['quality'], change }, 'age'), ['quality']);
});

test('only_the_version_that_serves_by_a_name_is_passed_on_for_it', () => {
  const models = [
    { ...ready, version: '2' },
    { ...ready, isDefault: false },
    { ...cold, name: 'nsfw' },
  ];
  assert.deepEqual(listVersions({ models }), { quality: '2', nsfw: '1' });
  assert.deepEqual(listVersions({ models: [] }), {});
});

test('models_whose_loads_hang_are_passed_on_by_version_and_those_that_only_failed_are_not', () => {
  const models = [
    { ...failed, version: '2', hangs: 2 },
    { ...failed, isDefault: false, hangs: 1 },
    { ...failed, name: 'nsfw' },
  ];
  assert.deepEqual(listHungModels(createReplaceable({ models })), [
    { name: 'quality', version: '2', reason: 'wrong hash', hangs: 2 },
    { name: 'quality', version: '1', reason: 'wrong hash', hangs: 1 },
  ]);
  assert.deepEqual(listHungModels(createReplaceable({ change: { snapshot: undefined } })), []);
  assert.deepEqual(listHungModels(undefined), []);
});
