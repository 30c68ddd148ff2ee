import assert from 'node:assert/strict';
import test from 'node:test';
import type { ModelStatus } from '../../src/ipc/messages.ts';
import {
  type SlotFacts,
  toModelSummaries,
  toServiceStatus,
  toWorkerStatus,
  type WorkerStatus,
} from '../../src/primary/ops/status-board.ts';
import { createSnapshot } from '../fixtures/worker-snapshot.ts';

const emptySlot: SlotFacts = {
  index: 0,
  current: undefined,
  outgoing: new Set(),
  isDown: false,
  restarts: 0,
  death: undefined,
  deaths: 0,
};

function createStatus(slot: number, change: Partial<WorkerStatus> = {}): WorkerStatus {
  return { ...toWorkerStatus({ ...emptySlot, index: slot }, 0), ...change };
}

test('a_slot_without_a_process_is_exited_and_says_why', () => {
  const death = { reason: 'crash', text: 'crash: SIGSEGV', exitCode: undefined } as const;
  const slot = { ...emptySlot, index: 3, death, deaths: 1 };
  const { pid, stage, serving, heartbeatAgeMs, reason } = toWorkerStatus(slot, 1000);
  assert.deepEqual(
    { pid, stage, serving, heartbeatAgeMs, reason },
    { pid: null, stage: 'exited', serving: false, heartbeatAgeMs: null, reason: 'crash: SIGSEGV' },
  );
  assert.equal(toWorkerStatus({ ...slot, isDown: true }, 1000).reason, 'down after 1 deaths in a row: crash: SIGSEGV');
});

function createWorker(models: ModelStatus[]): NonNullable<SlotFacts['current']> {
  return {
    pid: 7,
    stage: 'listening',
    isServing: true,
    isReady: true,
    heardAt: 990,
    snapshot: createSnapshot({ models }),
  };
}

const newest: ModelStatus = { name: 'quality', version: '10', isDefault: true, engine: 'wasm', state: 'cold' };
const old: ModelStatus = { ...newest, version: '9', isDefault: false, state: 'failed', reason: 'wrong hash' };

test('the_models_of_a_slot_are_shown_by_name_or_by_name_and_version_without_their_names', () => {
  const status = toWorkerStatus({ ...emptySlot, current: createWorker([newest, old]) }, 1000);
  assert.equal(
    JSON.stringify(status.models),
    '{"quality":{"version":"10","engine":"wasm","state":"cold"},' +
      '"quality@9":{"version":"9","engine":"wasm","state":"failed","reason":"wrong hash"}}',
  );
  assert.equal(status.heartbeatAgeMs, 10);
});

test('models_are_gathered_by_version_over_all_workers_the_newest_first', () => {
  const policies = ['default', 'strict'];
  const slots = [
    { index: 0, current: createWorker([old, { ...newest, policies }]) },
    { index: 1, current: createWorker([{ ...newest, policies, state: 'ready', loadMs: 7 }]) },
    { index: 2, current: undefined },
  ];
  assert.deepEqual(toModelSummaries(slots), [
    {
      name: 'quality',
      version: '10',
      default: true,
      policies,
      workers: [
        { slot: 0, state: 'cold', engine: 'wasm' },
        { slot: 1, state: 'ready', engine: 'wasm', loadMs: 7 },
      ],
    },
    {
      name: 'quality',
      version: '9',
      default: false,
      workers: [{ slot: 0, state: 'failed', engine: 'wasm', reason: 'wrong hash' }],
    },
  ]);
});

test('the_service_is_ready_when_enough_workers_serve_and_never_while_it_stops', () => {
  const workers = [createStatus(0, { serving: true }), createStatus(1)];
  const facts = { minServingWorkers: 1, isStopping: false, isFailing: false };
  assert.equal(toServiceStatus(workers, facts), 'ready');
  assert.equal(toServiceStatus(workers, { ...facts, minServingWorkers: 2 }), 'unready');
  assert.equal(toServiceStatus([], facts), 'unready');
  assert.equal(toServiceStatus(workers, { ...facts, isStopping: true }), 'draining');
  assert.equal(toServiceStatus(workers, { ...facts, isFailing: true }), 'unready');
});
