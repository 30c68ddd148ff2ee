import assert from 'node:assert/strict';
import test from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import type { ModelSnapshot } from '../../src/ipc/messages.ts';
import { toManifest } from '../../src/model/manifest.ts';
import type { ModelStore, StoredVersion } from '../../src/model/model-store.ts';
import { createModelBoard } from '../../src/worker/model-board.ts';

const manifest = toManifest(
  JSON.stringify({
    format: 'tfjs-layers',
    input: { width: 8, height: 8, resize: 'cover' },
    output: { kind: 'multi-label', labels: ['a', 'b'] },
    files: { 'model.json': `sha256-${'A'.repeat(43)}=` },
  }),
);

function usable(name: string, version: string): StoredVersion {
  return { kind: 'usable', model: { name, version, dir: `/models/${name}/${version}`, manifest } };
}

const { check } = configSchema.parse({});

function createBoard(
  versions: readonly StoredVersion[],
  states: Readonly<Record<string, Partial<ModelSnapshot>>> = {},
  defaultModels: readonly string[] = ['quality'],
) {
  const store: ModelStore = new Map([['quality', versions]]);
  return createModelBoard(() => store, { check: { ...check, models: [...defaultModels] }, policies: {} }, 'wasm', {
    toSnapshot: ({ name, version }) => ({
      version,
      engine: 'wasm',
      state: 'cold',
      ...states[`${name}@${version}`],
    }),
  });
}

const failed = { state: 'failed', reason: 'wrong hash' } as const;

test('the_version_that_serves_is_shown_even_cold_and_others_only_when_they_were_used', () => {
  const versions = [usable('quality', '3'), usable('quality', '2'), usable('quality', '1')];
  const board = createBoard(versions, { 'quality@1': { state: 'ready' } });
  const policies = ['default'];
  assert.deepEqual(board.toStatuses(), [
    { name: 'quality', version: '3', isDefault: true, engine: 'wasm', state: 'cold', policies },
    { name: 'quality', version: '1', isDefault: false, engine: 'wasm', state: 'ready', policies },
  ]);
});

test('a_broken_version_is_failed_and_its_reason_names_no_path', () => {
  const reason = 'manifest.json: ENOENT: no such file, open /srv/models/quality/2/manifest.json';
  const board = createBoard([{ kind: 'broken', name: 'quality', version: '2', reason }, usable('quality', '1')]);
  const [status, ...others] = board.toStatuses();
  assert.deepEqual([status?.name, status?.version, status?.isDefault, status?.state], ['quality', '2', true, 'failed']);
  assert.match(status?.reason ?? '', /^manifest\.json: ENOENT/);
  assert.doesNotMatch(status?.reason ?? '', /\/srv/);
  assert.deepEqual(others, []);
  assert.equal(board.canServe(), false);
});

test('a_cold_default_model_serves_and_is_not_ready_a_loaded_one_is_both', () => {
  const cold = createBoard([usable('quality', '1')]);
  assert.deepEqual([cold.canServe(), cold.isReady()], [true, false]);
  const ready = createBoard([usable('quality', '1')], { 'quality@1': { state: 'ready' } });
  assert.deepEqual([ready.canServe(), ready.isReady()], [true, true]);
});

test('a_failed_default_model_serves_no_more_nor_while_it_is_tried_again', () => {
  for (const state of ['failed', 'loading'] as const) {
    const board = createBoard([usable('quality', '1')], { 'quality@1': { ...failed, state } });
    assert.deepEqual([board.canServe(), board.isReady()], [false, false], state);
  }
});

test('a_failed_model_that_is_no_default_stops_nothing', () => {
  const versions = [usable('quality', '2'), usable('quality', '1')];
  const board = createBoard(versions, { 'quality@1': failed, 'quality@2': { state: 'ready' } });
  assert.deepEqual([board.canServe(), board.isReady()], [true, true]);
  const pinned = createBoard(versions, { 'quality@1': failed, 'quality@2': { state: 'ready' } }, ['quality@1']);
  assert.deepEqual([pinned.canServe(), pinned.isReady()], [false, false]);
});

test('a_default_model_that_is_gone_from_disk_is_an_error_not_a_ready_worker', () => {
  const board = createBoard([usable('quality', '1')], {}, ['nsfw']);
  assert.throws(() => board.isReady(), { code: 'ERR_MODEL_UNKNOWN' });
});
