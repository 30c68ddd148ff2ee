import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrimaryMetrics, restartReasons, setWorkerGauges } from '../../src/metrics/primary-metrics.ts';
import { createSnapshot } from '../fixtures/worker-snapshot.ts';

const model = { name: 'quality', version: '2', isDefault: true, engine: 'wasm', state: 'ready' } as const;
const snapshot = createSnapshot({ models: [model, { ...model, version: '1', isDefault: false, state: 'failed' }] });

test('every_reason_for_a_restart_is_there_from_the_start_at_0', async () => {
  const { registry } = createPrimaryMetrics('1.2.3', 'wasm');
  const text = await registry.metrics();
  for (const reason of restartReasons) {
    assert.ok(text.includes(`image_check_worker_restarts_total{reason="${reason}"} 0`));
  }
});

test('a_model_is_in_one_state_and_a_worker_that_is_gone_takes_its_gauges_along', async () => {
  const { registry, workers } = createPrimaryMetrics('1.2.3', 'wasm');
  setWorkerGauges(workers, [{ slot: 0, isServing: true, isReady: true, snapshot }]);
  const before = await registry.metrics();
  assert.ok(before.includes('image_check_model_state{model="quality",state="ready",worker="0"} 1'));
  assert.ok(before.includes('image_check_model_state{model="quality",state="cold",worker="0"} 0'));
  assert.ok(before.includes('image_check_model_state{model="quality@1",state="failed",worker="0"} 1'));
  assert.ok(before.includes('image_check_worker_memory_bytes{worker="0",kind="private"} 1'));
  setWorkerGauges(workers, [{ slot: 0, isServing: false, isReady: false, snapshot: undefined }]);
  const after = await registry.metrics();
  assert.ok(after.includes('image_check_worker_serving{worker="0"} 0'));
  assert.doesNotMatch(after, /model_state\{|memory_bytes\{/);
});
