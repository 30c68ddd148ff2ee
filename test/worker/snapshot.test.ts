import assert from 'node:assert/strict';
import test from 'node:test';
import { Registry } from 'prom-client';
import { createWorkerMetrics } from '../../src/metrics/catalogue.ts';
import type { ModelBoard } from '../../src/worker/model-board.ts';
import { createSnapshotTaker, type SnapshotSources } from '../../src/worker/snapshot.ts';

const board: ModelBoard = {
  toStatuses: () => [{ name: 'quality', version: '1', isDefault: true, engine: 'wasm', state: 'ready' }],
  canServe: () => true,
  isReady: () => true,
};

function createTaker(change: Partial<SnapshotSources> = {}) {
  const registry = new Registry();
  const metrics = createWorkerMetrics(registry);
  const takeSnapshot = createSnapshotTaker({
    inference: { queueDepth: () => 3 },
    checkService: { checked: () => 5 },
    board,
    isServing: () => true,
    metrics,
    registry,
    processMetrics: new Registry(),
    ...change,
  });
  return { takeSnapshot, metrics };
}

test('a_snapshot_holds_what_the_worker_has_done_and_has_to_do', async () => {
  const { takeSnapshot, metrics } = createTaker();
  metrics.inFlight.set(2);
  const { models, inFlight, queueDepth, checked, serving, ready, memory } = await takeSnapshot();
  assert.deepEqual(models, board.toStatuses());
  assert.deepEqual(
    { inFlight, queueDepth, checked, serving, ready },
    {
      inFlight: 2,
      queueDepth: 3,
      checked: 5,
      serving: true,
      ready: true,
    },
  );
  assert.ok(memory.rssBytes > 0);
});

test('only_requests_to_check_count_whatever_their_answer', async () => {
  const { takeSnapshot, metrics } = createTaker();
  metrics.httpRequests.inc({ route: '/v1/check', method: 'POST', code: '200' }, 2);
  metrics.httpRequests.inc({ route: '/v1/check', method: 'POST', code: '503' });
  metrics.httpRequests.inc({ route: '/livez', method: 'GET', code: '200' }, 7);
  assert.equal((await takeSnapshot()).requests, 3);
});

test('a_worker_that_does_not_serve_says_so_and_a_new_one_has_done_nothing', async () => {
  const { takeSnapshot } = createTaker({
    isServing: () => false,
    board: { ...board, isReady: () => false, toStatuses: () => [] },
  });
  const { serving, ready, models, inFlight, requests } = await takeSnapshot();
  assert.deepEqual(
    { serving, ready, models, inFlight, requests },
    {
      serving: false,
      ready: false,
      models: [],
      inFlight: 0,
      requests: 0,
    },
  );
});

test('the_queue_depth_is_among_the_metrics_of_the_same_snapshot', async () => {
  const { takeSnapshot } = createTaker();
  const { metrics } = await takeSnapshot();
  const family = metrics.find(({ name }) => name === 'image_check_queue_depth');
  assert.deepEqual(
    family?.values.map(({ value }) => value),
    [3],
  );
});
